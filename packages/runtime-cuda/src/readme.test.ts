import { readFileSync } from 'node:fs'
import * as tensor from '@mk/tensor'
import { expect, it } from 'vitest'
import * as runtimeCuda from './index.ts'

it('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace(/^import (\{.*\}) from '@mk\/runtime-cuda'.*$/m, 'const $1 = runtimeCuda')
    .replace(/^import (\{.*\}) from '@mk\/tensor'$/m, 'const $1 = tensor')
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction(
    'runtimeCuda',
    'tensor',
    'console',
    body,
  )(runtimeCuda, tensor, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([70, Float32Array.of(3, 4, 5, 6)])
})
