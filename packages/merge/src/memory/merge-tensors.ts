import { expectArgument, isRecord } from '@mk/errors'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { createReaderOver, type FileStore, readBytes } from '@mk/source'
import type { Runtime } from '@mk/tensor/runtime'
import type { MergePlan } from '../plan/merge-plan.ts'
import { storedBytes } from '../plan/stored-size.ts'
import { prepareMergeAt, type PrepareSettings } from '../prepare/prepare-merge.ts'
import type { Recipe } from '../recipe.ts'
import { createExecutor } from '../run/executor.ts'
import { type NonFiniteTensor } from '@mk/tensor'
import { nameNonFinite, type NonFiniteCounts } from '../run/non-finite.ts'
import { openRuntime } from '../run/open-runtime.ts'
import type { OutputWriter } from '../run/output-writer.ts'
import { type MergeProgress, type RunningOutput, runTensors, trackProgress } from '../run/run-tensors.ts'
import type { WeightsByNorm } from '../run/weights-by-norm.ts'
import { defaultCacheBytes, wasmRuntime } from '../run/task.ts'
import { createInlinePool, type WorkerPool } from '../run/worker-pool.ts'
import { createTensorFiles, type MemoryModel, type StoredTensor } from './tensor-files.ts'

/** Models in memory, and settings of the merge. */
export interface MergeTensorsOptions<Own extends MethodDefinition = never> extends Pick<
  PrepareSettings,
  'seed' | 'outDtype' | 'name' | 'copyTokenizer' | 'writeModelCard' | 'allowMixedArchitectures' | 'lenient'
> {
  /** By the names that the recipe has for them. */
  readonly models: Readonly<Record<string, MemoryModel>>
  /** Methods beside the built-in ones, which the recipe may then name. */
  readonly ownMethods?: readonly Own[]
  /** What computes, in the calling thread; it stays open. Absent: WebAssembly, which is opened for this call. */
  readonly runtime?: Runtime
  /** Ends with an error at the first tensor that has infinite values or NaN, or is made of such. */
  readonly strict?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: MergeProgress) => void
}

/** A merged model in memory. */
export interface MergedTensors {
  /** In the order of the file that a merge would write. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** The small files of the output: config.json, the model card, the recipe, those of the donor. */
  readonly files: ReadonlyMap<string, string | Uint8Array>
  /** Weights that followed from norms; absent where none did. */
  readonly weights?: readonly WeightsByNorm[]
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
  readonly nonFinite: readonly NonFiniteTensor[]
}

/** Of a small file that is copied. */
const mostBytes = 2 ** 30

/**
 * Merges models that are in memory, by any recipe, in the calling thread and without Node: the same tensors that `merge` writes of the
 * same models in files. Of the inputs nothing is copied as a whole; the result is new. The recipe's `out_format` means nothing here.
 * @param recipe an object, or YAML as `{ text }`
 * @throws CallError, also where a tensor's bytes are not as many as its dtype and shape say; what `prepareMerge` throws; the signal's reason
 */
export async function mergeTensors<Own extends MethodDefinition = never>(
  recipe: Recipe<NoInfer<Own>> | { readonly text: string },
  options: MergeTensorsOptions<Own>,
): Promise<MergedTensors> {
  expectArgument(isRecord(recipe), 'mergeTensors', {
    argument: 'recipe',
    expected: 'an object, or { text }',
    found: recipe,
  })
  expectArgument(isRecord(options) && isRecord(options.models), 'mergeTensors', {
    argument: 'options',
    expected: 'an object with models by name',
    found: options,
  })
  const { models, ownMethods = [], runtime, signal, strict, onProgress, ...settings } = options
  signal?.throwIfAborted()
  const methods = new Map([...builtinMethods, ...ownMethods.map((method) => [method.name, method] as const)])
  const store = createTensorFiles(models)
  const prepared = await prepareMergeAt(
    { store, current: '/', allowNoConfig: true },
    {
      ...settings,
      ...('text' in recipe ? { text: recipe.text } : { recipe: recipe as Recipe }),
      methods,
      outFormat: 'safetensors',
      shardBytes: Number.MAX_SAFE_INTEGER,
      ...(signal && { signal }),
    },
  )
  const plan = await prepared.download()
  const tensors = new Map(
    plan.tensors.map((tensor) => [
      tensor.name,
      { dtype: tensor.dtype, shape: tensor.shape, bytes: new Uint8Array(storedBytes(tensor)) },
    ]),
  )
  const warnings = new Set(prepared.warnings)
  const executor = createExecutor({
    runtime: runtime === undefined ? await openRuntime(wasmRuntime) : leftOpen(runtime),
    createReader: (parts) => createReaderOver(store.openFiles(), parts),
    writer: writerInto(plan, tensors),
    cacheBytes: defaultCacheBytes,
  })
  const pool = lettingEventsIn(createInlinePool(executor))
  const nonFinite = new Map<number, NonFiniteCounts>()
  let weighed: MergePlan
  let weights: readonly WeightsByNorm[]
  try {
    ;({ plan: weighed, weights } = await runTensors(
      plan,
      {
        methods,
        ...(strict !== undefined && { strict }),
        ...(signal && { signal }),
        onWarning: (message) => warnings.add(message),
      },
      { pool, output: memoryOutput(plan, nonFinite), progress: trackProgress(plan, new Set(), onProgress) },
    ))
  } finally {
    await pool.close()
  }
  return {
    tensors,
    files: await smallFiles(weighed, store),
    ...(weights.length > 0 && { weights }),
    notes: plan.notes,
    warnings: [...warnings],
    nonFinite: [...nonFinite]
      .toSorted(([a], [b]) => a - b)
      .map(([index, counts]) => nameNonFinite(plan, index, counts)),
  }
}

const leftOpen = (runtime: Runtime): Runtime => ({ ...runtime, close: async () => {} })

const memoryOutput = ({ files }: MergePlan, found: Map<number, NonFiniteCounts>): RunningOutput => ({
  files: files.map(({ name }) => name),
  finished: new Set(),
  nonFinite: () => [],
  async finish(tensor, counts) {
    if (counts !== undefined) found.set(tensor, counts)
  },
})

/** Puts what is written to a place of a file into the tensor that lies there. */
function writerInto(plan: MergePlan, tensors: ReadonlyMap<string, StoredTensor>): OutputWriter {
  const starts = plan.tensors.map(({ byteStart }) => byteStart)
  return {
    write(_, position, bytes) {
      const index = starts.findLastIndex((start) => start <= position)
      const { name, byteStart } = plan.tensors[index]!
      tensors.get(name)!.bytes.set(bytes, position - byteStart)
    },
    close() {},
  }
}

/** Between two tasks a signal can fire, and a page stays alive. */
const lettingEventsIn = (pool: WorkerPool): WorkerPool => ({
  ...pool,
  async run(task, preferred) {
    await new Promise((resolve) => setTimeout(resolve))
    return pool.run(task, preferred)
  },
})

async function smallFiles(
  { documents, copies }: MergePlan,
  store: FileStore,
): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>(documents.map(({ name, text }) => [name, text]))
  for (const { name, from } of copies) files.set(name, await readBytes(store, from, mostBytes))
  return files
}
