import { readFileSync } from 'node:fs'
import * as tensor from '@mk/tensor'
import { expect, it } from 'vitest'
import * as runtimeGpu from './index.ts'

it('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/
    .exec(readme)![1]!
    .replace(
      /^import (\{.*\}) from '@mk\/(.*)'$/gm,
      (_, names, from) => `const ${names} = ${from === 'tensor' ? 'tensor' : 'runtimeGpu'}`,
    )
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction(
    'tensor',
    'runtimeGpu',
    'console',
    body,
  )(tensor, runtimeGpu, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([expect.stringMatching(/^gpu \(\w+\)$/), Float32Array.of(2, 3, 4)])
})
