import { readFileSync } from 'node:fs'
import * as tensor from '@mk/tensor'
import * as tensorRuntime from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import * as runtimeWasm from './index.ts'

it('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace(/^import (\{.*\}) from '@mk\/runtime-wasm'$/m, 'const $1 = runtimeWasm')
    .replace(/^import (\{.*\}) from '@mk\/tensor'$/m, 'const $1 = tensor')
    .replace(/^import (\{.*\}) from '@mk\/tensor\/runtime'$/m, 'const $1 = tensorRuntime')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction(
    'runtimeWasm',
    'tensor',
    'tensorRuntime',
    'console',
    body,
  )(runtimeWasm, tensor, tensorRuntime, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([Float32Array.of(4, 5, 6)])
})
