import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as config from './index.ts'

it('the example of the README runs', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace(/^import (\{.*\}) from .*$/m, 'const $1 = configPackage')
  const printed: unknown[][] = []
  Function('configPackage', 'console', body)(config, { log: (...values: unknown[]) => printed.push(values) })
  expect(printed).toEqual([
    [['org/first@v1', 'models/second+models/adapter'], { kind: 'gradient', values: [0, 0.5, 1] }],
    [{ line: 7, column: 17 }, []],
  ])
})
