import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ProcessRequest, type ProcessResult, runProcess } from '../__fixtures__/run-process.ts'
import { type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const large: LlamaOptions = { layers: 4, extra: { 'model.layers.3.mlp.down_proj.weight': { shape: [400, 400] } } }
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'
const troubled = linear.replace('linear', 'troubled')

/** With workers and without, in one process, which ends by itself. */
async function failuresOf(request: Partial<ProcessRequest>): Promise<readonly ProcessResult[]> {
  const each = [2, 0].map((threads) => join(folder.path, String(threads)))
  for (const path of each) await writeLlamas(path, { a: large, b: large })
  const { results } = await runProcess(
    each.map((path, index) => ({
      text: linear,
      file: join(path, 'recipe.yml'),
      out: join(path, 'out'),
      threads: [2, 0][index]!,
      ...request,
    })),
    { timeoutMs: 20_000 },
  )
  return results
}

const failures: readonly [string, Partial<ProcessRequest>, { name: string; code?: string; message: unknown }][] = [
  ['a kernel that throws', { runtime: 'createThrowing' }, { name: 'TypeError', message: 'the kernel fell over' }],
  [
    'a program that does not compile',
    { runtime: 'createUncompilable' },
    { name: 'UnsupportedError', message: 'sqrt is too hard' },
  ],
  ['a runtime that does not open', { runtime: 'createUnopenable' }, { name: 'Error', message: 'no such device' }],
  [
    'an input that shrinks while it is read',
    { text: troubled, trouble: 'shrinking input' },
    { name: 'SourceError', code: 'file-ended', message: expect.stringContaining(join('b', 'model.safetensors')) },
  ],
]

test.each(failures)(
  '%s ends the merge with one clear error, and leaves neither workers nor an output',
  { timeout: 30_000 },
  async (_, request, error) => {
    for (const result of await failuresOf(request)) expect(result).toMatchObject({ error, left: [] })
  },
)

test.skipIf(!existsSync('/dev/full'))(
  'a disk that fills in the middle ends the merge likewise, and what is whole stays',
  { timeout: 30_000 },
  async () => {
    const message = expect.stringMatching(/^can't write .*model-00003-of-00003\.safetensors: the disk is full$/)
    for (const result of await failuresOf({ text: troubled, trouble: 'full disk', shardBytes: 100_000 }))
      expect(result).toMatchObject({
        error: { name: 'MergeError', code: 'write-failed', message },
        left: ['out.partial'],
      })
  },
)

test.each([
  ['crashes', 'createCrashing', 'a worker thread failed: out of nowhere'],
  ['exits', 'createExiting', 'a worker thread failed: it ended with status 3'],
])('a worker that %s ends the merge likewise', { timeout: 30_000 }, async (_, runtime, message) => {
  await writeLlamas(folder.path, { a: large, b: large })
  const { results } = await runProcess(
    [{ text: linear, file: join(folder.path, 'recipe.yml'), out: join(folder.path, 'out'), threads: 2, runtime }],
    { timeoutMs: 20_000 },
  )
  expect(results).toMatchObject([{ error: { name: 'MergeError', code: 'worker-failed', message }, left: [] }])
})
