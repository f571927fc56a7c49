import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as source from '@mk/source/node'
import { expect, it } from 'vitest'
import * as checkpoint from './index.ts'

it('the example of the README runs', async () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(new URL('../README.md', import.meta.url), 'utf8'))![1]!
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = AsyncFunction(
    'exports',
    'process',
    'console',
    example.replace(/^import (\{.*\}) from .*$/gm, 'const $1 = exports'),
  )
  await run(
    { ...checkpoint, ...source },
    { cwd: () => root },
    { log: (...values: unknown[]) => printed.push(...values) },
  )
  expect(printed).toEqual(['llama', 'F32', [24], expect.any(Float32Array)])
  const { tensors } = await checkpoint.openCheckpoint(
    { path: 'goldens/models/llama-base', adapters: [] },
    { roots: [root] },
  )
  const reader = source.createSourceReader()
  const bytes = new Uint8Array(24 * 4)
  reader.read(tensors.get('model.norm.weight')!, 0, 24, bytes)
  reader.close()
  expect(printed[3]).toEqual(new Float32Array(bytes.buffer).slice(2, 4))
})
