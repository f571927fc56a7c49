import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { expect, test } from 'vitest'
import { runProcess } from '../__fixtures__/run-process.ts'
import { useFolder } from '../__fixtures__/models.ts'

const folder = useFolder()
const shape = [16384, 12288]
const tensorBytes = shape[0]! * shape[1]! * 2

/** Takes no room on the disk: a header and a hole. */
async function writeHole(name: string): Promise<void> {
  const { header, fileBytes } = layoutFile([{ name: 'model.layers.0.w', dtype: 'BF16', shape }], {})
  await mkdir(join(folder.path, name))
  await writeFile(join(folder.path, name, 'config.json'), '{"model_type": "huge"}')
  const file = await open(join(folder.path, name, 'model.safetensors'), 'w')
  await file.write(header)
  await file.truncate(fileBytes)
  await file.close()
}

test('a tensor of 400 MB merges in half of that, in two passes over both inputs', { timeout: 120_000 }, async () => {
  await writeHole('a')
  await writeHole('b')
  const text = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\nmodels: [{model: a}, {model: b}]'
  const out = join(folder.path, 'out')
  const { results, maxRssBytes } = await runProcess(
    [{ text, file: join(folder.path, 'recipe.yml'), out, threads: 2 }],
    { timeoutMs: 100_000 },
  )
  await rm(out, { recursive: true, force: true })
  expect(results[0]).toMatchObject({ tensorCount: 1, writtenBytes: tensorBytes })
  expect(maxRssBytes).toBeLessThan(tensorBytes / 2)
})
