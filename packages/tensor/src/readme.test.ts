import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as tensor from './index.ts'
import * as runtime from './runtime/index.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, example]) => example!)

async function printedBy(example: string, exports: object): Promise<unknown[]> {
  const body = example.replace(/^import (\{.*\}) from .*$/m, 'const $1 = exports')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('exports', 'console', body)(exports, { log: (...values: unknown[]) => printed.push(...values) })
  return printed
}

it('the example of the README runs', async () => {
  expect(await printedBy(examples[0]!, tensor)).toEqual([5, Float32Array.of(0, 2, 0, -4)])
})

it('so does that of matrix products', async () => {
  expect(await printedBy(examples[1]!, runtime)).toEqual([Float32Array.of(1, 8, 4, 17)])
})
