import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as encoder from './index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/.exec(readme)![1]!.replace(/^import (\{.*\}) from .*$/m, 'const $1 = encoder')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('encoder', 'console', body)(encoder, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([Float32Array.of(10, 20, 30, -40, 10)])
})
