import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as tensor from './index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const body = example.replace(/^import (\{.*\}) from .*$/m, 'const $1 = tensor')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('tensor', 'console', body)(tensor, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([5, Float32Array.of(0, 2, 0, -4)])
})
