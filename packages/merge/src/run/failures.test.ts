import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProcessRequest, type ProcessResult, runProcess } from '../__fixtures__/run-process.ts'
import { type LlamaOptions, writeLlamas } from '../__fixtures__/models.ts'

const large: LlamaOptions = { layers: 4, extra: { 'model.layers.3.mlp.down_proj.weight': { shape: [400, 400] } } }
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'
const troubled = linear.replace('linear', 'troubled')

type Request = Partial<ProcessRequest>

const failures: readonly [string, Request, { name: string; code?: string; message: unknown }][] = [
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
const fullDisk: Request = { text: troubled, trouble: 'full disk', shardBytes: 100_000 }
const crashes: readonly [string, Request, string][] = [
  ['crashes', { runtime: 'createCrashing' }, 'a worker thread failed: out of nowhere'],
  ['exits', { runtime: 'createExiting' }, 'a worker thread failed: it ended with status 3'],
]
const hasFullDevice = existsSync('/dev/full')

const folder = mkdtempSync(join(tmpdir(), 'mk-failures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What came of each, with workers and without: all in one process, which ends by itself. */
const outcomes = new Map<Request, ProcessResult[]>()
beforeAll(async () => {
  const both = [...failures.map(([, request]) => request), ...(hasFullDevice ? [fullDisk] : [])]
  const runs = [
    ...both.flatMap((request) => [2, 0].map((threads) => ({ request, threads }))),
    ...crashes.map(([, request]) => ({ request, threads: 2 })),
  ]
  const requests: ProcessRequest[] = []
  for (const [index, { request, threads }] of runs.entries()) {
    const path = join(folder, String(index))
    await writeLlamas(path, { a: large, b: large })
    requests.push({ text: linear, file: join(path, 'recipe.yml'), out: join(path, 'out'), threads, ...request })
  }
  const { results } = await runProcess(requests, { timeoutMs: 60_000 })
  for (const [index, { request }] of runs.entries())
    outcomes.set(request, [...(outcomes.get(request) ?? []), results[index]!])
}, 90_000)

test.each(failures)(
  '%s ends the merge with one clear error, and leaves neither workers nor an output',
  (_, request, error) => {
    expect(outcomes.get(request)).toMatchObject([
      { error, left: [] },
      { error, left: [] },
    ])
  },
)

test.skipIf(!hasFullDevice)('a disk that fills in the middle ends the merge likewise, and what is whole stays', () => {
  const message = expect.stringMatching(/^can't write .*model-00003-of-00003\.safetensors: the disk is full$/)
  const result = { error: { name: 'MergeError', code: 'write-failed', message }, left: ['out.partial'] }
  expect(outcomes.get(fullDisk)).toMatchObject([result, result])
})

test.each(crashes)('a worker that %s ends the merge likewise', (_, request, message) => {
  expect(outcomes.get(request)).toMatchObject([
    { error: { name: 'MergeError', code: 'worker-failed', message }, left: [] },
  ])
})
