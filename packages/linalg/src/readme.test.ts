import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as linalg from './index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const body = example.replace(/^import (\{.*\}) from .*$/m, 'const $1 = linalg')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('linalg', 'console', body)(linalg, { log: (...values: unknown[]) => printed.push(...values) })
  const [values, u, v, leading] = printed.slice(0, 4) as [Float64Array, Float64Array, Float64Array, Float64Array]
  const near = (expected: number[]) => expected.map((value) => expect.closeTo(value, 12) as number)
  expect([...values]).toEqual(near([3, 2]))
  expect([...u]).toEqual(near([1, 0, 0, 1, 0, 0]))
  expect([...v]).toEqual(near([1, 0, 0, 1]))
  expect([...leading]).toEqual(near([3]))
  expect(printed[4]).toBeCloseTo(4, 12)
})
