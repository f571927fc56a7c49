import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as methods from './index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const body = example.replace(/^import (\{.*\}) from .*$/m, 'const $1 = methods')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('methods', 'console', body)(methods, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([Float32Array.of(2.5, 1, 2, 1)])
})
