import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as main from './index.ts'
import * as node from './node/index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const body = example
    .replace(/^import (\{.*\}) from .*$/gm, 'const $1 = exports')
    .replaceAll('const { readTokenizer } = exports', 'const { readTokenizer } = node')
    .replaceAll("'goldens/", `'${fileURLToPath(new URL('../../../goldens/', import.meta.url))}`)
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction(
    'exports',
    'node',
    'console',
    body,
  )(main, node, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([
    66,
    ['tokenizer.json'],
    [
      { kind: 'copy', rowCount: 64, source: 0, row: 0 },
      { kind: 'copy', rowCount: 2, source: 1, row: 64 },
    ],
    'only chat has it',
    'only chat has it',
  ])
})
