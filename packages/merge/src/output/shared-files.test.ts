import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canShare } from '../__fixtures__/can-share.ts'
import { expectIssue, mergeIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const alone = 'merge_method: passthrough\nmodels: [{model: a}]'

test('a merge goes on with files that share the blocks of the input, where it had such', async () => {
  await writeLlamas(folder.path, { a: {} })
  const stop = new AbortController()
  const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
    if (finishedTensors >= 4) stop.abort(new Error('enough'))
  }
  await expectIssue(mergeIn(folder.path, alone, { signal: stop.signal, onProgress }), 'interrupted')
  const journal = await readFile(join(folder.path, 'out.partial', 'journal.json'), 'utf8')
  expect(JSON.parse(journal)).toMatchObject(canShare(folder.path) ? { shared: [0] } : {})
  const { result, out } = await mergeIn(folder.path, alone)
  expect(result.resumedTensors).toBeGreaterThan(0)
  const file = await readFile(join(folder.path, 'a', 'model.safetensors'))
  expect(await readFile(join(out, 'model.safetensors'))).toEqual(file)
  expect(result.checksums).toEqual({ 'model.safetensors': createHash('sha256').update(file).digest('hex') })
})
