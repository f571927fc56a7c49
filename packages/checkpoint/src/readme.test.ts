import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSafetensorsWriter } from '@mk/safetensors/node'
import { expect, it } from 'vitest'
import * as source from '@mk/source/node'
import * as checkpoint from './index.ts'
import { writeFiles } from './open/__fixtures__/make-folder.ts'

it('the example of the README runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-readme-'))
  await writeFiles(folder, { 'models/tiny/config.json': { model_type: 'tiny' } })
  const writer = await createSafetensorsWriter(join(folder, 'models/tiny/model.safetensors'), [
    { name: 'w', dtype: 'F32', shape: [4] },
  ])
  await writer.write('w', 0, new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer))
  await writer.finish()

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
    { cwd: () => folder },
    { log: (...values: unknown[]) => printed.push(...values) },
  )
  expect(printed).toEqual(['tiny', 'F32', [4], Float32Array.of(3, 4)])
  await rm(folder, { recursive: true })
})
