import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as node from './node/index.ts'

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const folder = await mkdtemp(join(tmpdir(), 'safetensors-readme-'))
  const body = example
    .replace(/^import (\{.*\}) from .*$/m, 'const $1 = node')
    .replaceAll("'tiny.safetensors'", JSON.stringify(join(folder, 'tiny.safetensors')))
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction('node', 'console', body)(node, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([[2, 2], Float32Array.of(1, 2, 3, 4)])
  await rm(folder, { recursive: true })
})
