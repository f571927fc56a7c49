import { readFileSync } from 'node:fs'
import * as config from '@mk/config'
import { expect, it } from 'vitest'
import * as params from './index.ts'

it('the example of the README runs', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace(/^import (\{.*\}) from '@mk\/config'$/m, 'const $1 = configPackage')
    .replace(/^import (\{.*\}) from '@mk\/params'$/m, 'const $1 = params')
  const printed: unknown[][] = []
  Function(
    'configPackage',
    'params',
    'console',
    body,
  )(config, params, { log: (...values: unknown[]) => printed.push(values) })
  expect(printed).toEqual([[0.75, ['parameters', 't', 0, 'value']]])
})
