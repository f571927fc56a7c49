import { systemReason } from '@mk/errors'
import { readBytes, sourceFiles } from '@mk/source'
import { createFileMap, type FileMap } from '@mk/source/web'
import { MergeError } from '../errors.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import { type MergePlan, plannedSources } from '../plan/merge-plan.ts'
import type { WeightsByNorm } from '../run/weights-by-norm.ts'
import { type NonFiniteTensor } from '@mk/tensor'
import { nameNonFinite, type NonFiniteByTensor, type NonFiniteCounts } from '../run/non-finite.ts'
import {
  type MergeProgress,
  runTensors,
  type TensorsOptions,
  trackProgress,
  usefulThreads,
} from '../run/run-tensors.ts'
import { type RuntimeSpecifier, wasmRuntime } from '../run/task.ts'
import { createWorkerPool } from '../run/worker-pool.ts'
import { createFeeder } from './feed/feeder.ts'
import type { MergeSink, SinkFile } from './merge-sink.ts'
import type { WorkerFiles } from './serve-files.ts'
import { type WebWorker, webPort } from './web-port.ts'
import { writeFailed } from './write-failed.ts'

/** Where a plan is carried out in a browser, and from which files. */
export interface MergeFilesOptions extends TensorsOptions {
  /** Those that the plan's models were opened from. */
  readonly files: FileMap
  readonly sink: MergeSink
  /** Starts a web worker whose script is the entry `@mk/merge/browser/worker`. */
  readonly createWorker: () => WebWorker
  /** Web workers, by default as many as the machine has cores. */
  readonly threads?: number
  readonly runtime?: RuntimeSpecifier
  /** For chunks that stay with the workers between the passes over a tensor, of all workers together. */
  readonly cacheBytes?: number
  readonly onProgress?: (progress: MergeProgress) => void
}

/** What a merge in a browser has written. */
export interface MergedFiles {
  readonly tensorCount: number
  readonly writtenBytes: number
  /** The tensors that have infinite values or NaN, or are made of such, in the order of the output. */
  readonly nonFinite: readonly NonFiniteTensor[]
  /** Weights that followed from norms; absent where none did. */
  readonly weights?: readonly WeightsByNorm[]
}

/**
 * What two large matrices of two models take, and some more, as workers' shares differ: to read a chunk once more costs a browser much more
 * than memory does.
 */
const defaultCacheBytes = 160 * 2 ** 20
/** So that one worker waits for reductions while another has something to do, and what is read of both is kept. */
const atOnce = 2
/** Of a file that is copied as it is. */
const longestCopy = 2 ** 31

/**
 * Carries out a plan in web workers, from files that the browser has or that servers have, into a sink: the same bytes as `runMerge`
 * writes. Of neither is more held in memory than some windows and chunks.
 * @throws the first error of any tensor, or the signal's reason; the sink then has discarded what was written
 */
export async function mergeFiles(plan: MergePlan, options: MergeFilesOptions): Promise<MergedFiles> {
  const { files, sink, signal } = options
  const opened = new Map<string, SinkFile>()
  const { cacheBytes = defaultCacheBytes, runtime = wasmRuntime, threads: most = coreCount() } = options
  const threads = Math.max(1, usefulThreads(plan, most))
  // They load while the output is laid out.
  const workers = Array.from({ length: threads }, () => options.createWorker())
  const feeder = createFeeder(files)
  const progress = trackProgress(plan, new Set(), options.onProgress)
  const nonFinite = new Map<number, NonFiniteCounts>()
  const inOrder = (): NonFiniteByTensor => [...nonFinite].toSorted(([a], [b]) => a - b)
  const output = {
    files: plan.files.map(({ name }) => name),
    finished: new Set<number>(),
    nonFinite: inOrder,
    async finish(tensor: number, counts?: NonFiniteCounts) {
      if (counts !== undefined) nonFinite.set(tensor, counts)
    },
  }
  let weighed: MergePlan
  let weights: readonly WeightsByNorm[]
  try {
    try {
      await layOut(plan, sink, opened)
      const inputs = neededFiles(plan, files)
      const pool = createWorkerPool({
        threads,
        start: { runtime, cacheBytes, files: { inputs, outputs: sharedFiles(opened) } satisfies WorkerFiles },
        startWorker: () => webPort(workers.pop()!, feeder),
        leavesToOwners: true,
        onWritten: (name, position, bytes) => naming(name, () => opened.get(name)!.write(position, bytes)),
      })
      try {
        ;({ plan: weighed, weights } = await runTensors(plan, options, { pool, output, progress, atOnce }))
      } finally {
        await pool.close()
      }
    } finally {
      feeder.close()
      for (const worker of workers) worker.terminate()
    }
    for (const [name, file] of opened) await naming(name, () => file.close())
    for (const [name, bytes] of smallFiles(weighed, files)) await writeWhole(sink, name, await bytes())
    signal?.throwIfAborted()
    await sink.complete()
  } catch (error) {
    await sink.discard().catch(() => {})
    throw error
  }
  return {
    tensorCount: plan.tensors.length,
    writtenBytes: progress.totalBytes,
    ...(weights.length > 0 && { weights }),
    nonFinite: inOrder().map(([index, counts]) => nameNonFinite(plan, index, counts)),
  }
}

/** Makes the files of weights, with all that is not computed. */
async function layOut(plan: MergePlan, sink: MergeSink, opened: Map<string, SinkFile>): Promise<void> {
  for (const { name, fileBytes, pieces } of listDataFiles(plan))
    await naming(name, async () => {
      const file = await sink.open(name, fileBytes)
      opened.set(name, file)
      for (const { byteStart, bytes } of pieces()) await file.write(byteStart, bytes)
    })
}

const sharedFiles = (opened: ReadonlyMap<string, SinkFile>) =>
  new Map([...opened].flatMap(([name, { shared }]) => (shared === undefined ? [] : [[name, shared] as const])))

/** What workers need of the files: handles cross to each of them. */
function neededFiles(plan: MergePlan, files: FileMap): FileMap {
  return new Map(
    sourceFiles(plannedSources(plan)).flatMap((path) => (files.has(path) ? [[path, files.get(path)!] as const] : [])),
  )
}

function* smallFiles({ copies, documents }: MergePlan, files: FileMap): Generator<[string, () => Promise<Uint8Array>]> {
  const store = createFileMap(files)
  for (const { name, from } of copies)
    yield [
      name,
      () =>
        readBytes(store, from, longestCopy).catch((cause: unknown) => {
          throw new MergeError({ code: 'copy-unreadable', file: from, reason: systemReason(cause) }, { cause })
        }),
    ]
  for (const { name, text } of documents) yield [name, async () => new TextEncoder().encode(text)]
}

const writeWhole = (sink: MergeSink, name: string, bytes: Uint8Array): Promise<void> =>
  naming(name, async () => {
    const file = await sink.open(name, bytes.length)
    await file.write(0, bytes)
    await file.close()
  })

/** A sink's own errors name no file. */
async function naming<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    throw writeFailed(file, cause)
  }
}

const coreCount = (): number =>
  (globalThis as { readonly navigator?: { readonly hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 4
