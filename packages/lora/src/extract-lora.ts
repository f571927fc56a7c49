import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkpoint } from '@mk/checkpoint'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import { createSafetensorsWriter } from '@mk/safetensors/node'
import type { TensorSource } from '@mk/source'
import { createSourceReader, type SourceReader } from '@mk/source/node'
import { describeNonFinite, type NonFiniteTensor } from '@mk/tensor'
import { LoraError } from './errors.ts'
import { adapterConfig, nameInClass } from './output/adapter-config.ts'
import { type AdapterFolder, openAdapterFolder } from './output/adapter-folder.ts'
import { adapterCard } from './output/card.ts'
import { factorNames } from './output/factor-names.ts'
import { countNonFinite } from './factors/count-non-finite.ts'
import type { ChangedTensor, ExtractionPlan, ExtractionSettings } from './plan/extraction.ts'
import { nameModules } from './plan/name-modules.ts'
import { isChanged } from './run/compare-elements.ts'
import { decomposeAll } from './run/pool.ts'
import type { DecomposeTask, Factors } from './run/task.ts'

/** An extraction that has been planned: its two models, and where the adapter is written. */
export interface ExtractionRun {
  readonly fineTune: Checkpoint
  readonly base: Checkpoint
  readonly plan: ExtractionPlan
  readonly settings: ExtractionSettings
  /** As the adapter is to name its base; the path of its reference if absent. */
  readonly basePath?: string
  readonly out: string
  readonly overwrite?: boolean
  readonly writeCard?: boolean
  /** Fail where a tensor of the adapter has infinite values or NaN. */
  readonly strict?: boolean
  /** 0 decomposes in the calling thread. */
  readonly threads: number
  readonly onProgress?: (progress: ExtractionProgress) => void
  readonly signal?: AbortSignal
}

/** How far an extraction has come. */
export interface ExtractionProgress {
  readonly doneBytes: number
  /** Of the weights to be decomposed, as the fine-tune stores them. */
  readonly totalBytes: number
  readonly doneModules: number
  readonly moduleCount: number
}

/** What became of the modules. */
export interface ExtractionResult {
  readonly out: string
  readonly ranks: Readonly<Record<string, number>>
  /** Of the module's difference: the share of its norm that the factors leave, from 0 to 1. */
  readonly errors: Readonly<Record<string, number>>
  readonly whole: readonly string[]
  /** Modules that are as in the base, or whose difference has no singular value that is large enough. */
  readonly unchanged: readonly string[]
  readonly writtenBytes: number
  /** Tensors of the adapter that have infinite values or NaN: of the fine-tune, or past the dtype of the factors. */
  readonly nonFinite: readonly NonFiniteTensor[]
}

/** For differences that are kept in memory between passes, of all threads together. */
const CACHE_BYTES = 160 * 2 ** 20
const COPY_BYTES = 2 ** 22

/**
 * Extracts the adapter and writes its folder, which takes its name when it is complete. Bytes don't depend on the threads.
 * @throws LoraError 'extract-…'; SourceError where weights can't be read
 */
export async function extractLora(run: ExtractionRun): Promise<ExtractionResult> {
  const folder = await openAdapterFolder(run.out, run.overwrite ?? false)
  const reader = createSourceReader()
  try {
    const result = await extractInto(folder, reader, run)
    await folder.complete()
    return result
  } catch (error) {
    await folder.discard()
    throw error
  } finally {
    reader.close()
  }
}

/** Where the factors of a module lie in the scratch file. */
interface StoredFactors {
  readonly rank: number
  readonly start: number
  readonly aBytes: number
  readonly bBytes: number
  readonly overflow: Factors['overflow']
  readonly squaredNorm: number
  readonly squaredError: number
}

async function extractInto(folder: AdapterFolder, reader: SourceReader, run: ExtractionRun): Promise<ExtractionResult> {
  const { plan, signal } = run
  const whole = plan.whole.filter(({ tensors }) => tensors.some((tensor) => isChanged(reader, tensor)))
  const factors = await decomposeInto(folder, run)
  const decomposed = plan.decomposed.filter((_, index) => factors[index]!.rank > 0)
  const biases = plan.decomposed.flatMap(({ bias }, index) =>
    bias !== undefined && isChanged(reader, bias) ? [{ ...bias, isAdapted: factors[index]!.rank > 0 }] : [],
  )
  signal?.throwIfAborted()
  if (decomposed.length === 0 && whole.length === 0) throw nothing(run, 'no tensor that is looked at differs')
  if (decomposed.length === 0)
    throw nothing(run, 'no module is left to decompose, and PEFT loads no adapter without one')

  const tensors = new Map<string, AdapterTensor>()
  plan.decomposed.forEach((module, index) => {
    const { rank, start, aBytes, bBytes, overflow } = factors[index]!
    if (rank === 0) return
    const [rows, columns] = module.fine.shape as readonly [number, number]
    const [input, output] = module.transposed ? [rows, columns] : [columns, rows]
    const dtype = factorDtype(module)
    const { a, b } = factorNames(nameInClass(plan, module.module), module)
    const { a: ofA, b: ofB } = overflow
    tensors.set(a, { dtype, shape: [rank, input], scratch: { start, byteCount: aBytes, overflow: ofA } })
    tensors.set(b, {
      dtype,
      shape: [output, rank],
      scratch: { start: start + aBytes, byteCount: bBytes, overflow: ofB },
    })
  })
  for (const { name, fine, isAdapted } of biases) {
    const inAdapter = isAdapted ? name.replace(/bias$/, 'base_layer.bias') : name
    tensors.set(`base_model.model.${nameInClass(plan, inAdapter)}`, { ...facts(fine), source: fine })
  }
  for (const { module, tensors: own } of whole) {
    for (const { name, fine } of own) {
      const inModule = name.slice(module.length)
      const put = (owner: string) =>
        tensors.set(`base_model.model.${nameInClass(plan, owner)}${inModule}`, { ...facts(fine), source: fine })
      put(module)
      if (module === plan.tiedHead?.embedding) put(plan.tiedHead.module)
    }
  }

  const { writtenBytes, nonFinite } = await writeTensors(folder, reader, tensors, run)
  const ranks = new Map(
    plan.decomposed.flatMap(({ module }, i) => (factors[i]!.rank > 0 ? [[module, factors[i]!.rank]] : [])),
  )
  const wholeModules = whole.flatMap(({ module }) =>
    module === plan.tiedHead?.embedding ? [module, plan.tiedHead.module] : [module],
  )
  const basePath = run.basePath ?? run.base.reference.path
  const config = adapterConfig({ plan, basePath, ranks, whole: wholeModules, hasBias: biases.length > 0 })
  await writeFile(join(folder.path, 'adapter_config.json'), `${JSON.stringify(config, null, 2)}\n`)
  const norm = factors.reduce((sum, { squaredNorm }) => sum + squaredNorm, 0)
  const error = factors.reduce((sum, { squaredError }) => sum + squaredError, 0)
  if (run.writeCard ?? true)
    await writeFile(
      join(folder.path, 'README.md'),
      adapterCard({
        fineTune: run.fineTune.reference.path,
        base: basePath,
        largestRank: Math.max(...ranks.values()),
        decomposed: ranks.size,
        whole: nameModules(wholeModules, plan.modules),
        vocabulary: plan.vocabulary,
        share: 1 - error / norm,
      }),
    )
  return {
    out: run.out,
    ranks: Object.fromEntries(ranks),
    errors: Object.fromEntries(
      plan.decomposed.flatMap(({ module }, i) =>
        factors[i]!.rank > 0 ? [[module, Math.sqrt(factors[i]!.squaredError / factors[i]!.squaredNorm)]] : [],
      ),
    ),
    whole: wholeModules,
    unchanged: [
      ...plan.decomposed.filter((_, index) => factors[index]!.rank === 0).map(({ module }) => module),
      ...plan.whole.filter((one) => !whole.includes(one)).map(({ module }) => module),
    ],
    writtenBytes,
    nonFinite,
  }
}

const nothing = ({ fineTune, base }: ExtractionRun, reason: string): LoraError =>
  new LoraError({ code: 'extract-nothing', model: fineTune.reference.path, base: base.reference.path, reason })

async function decomposeInto(folder: AdapterFolder, run: ExtractionRun): Promise<StoredFactors[]> {
  const { plan, settings, threads, signal, onProgress } = run
  const { maxRank = 128, distributeScale = true, svEpsilon = 0, energy, seed = 0 } = settings
  const tasks = plan.decomposed.map((module): DecomposeTask => ({
    tensor: module.name,
    fine: module.fine,
    base: module.base!,
    transposed: module.transposed,
    maxRank,
    distributeScale,
    svEpsilon,
    energy,
    seed,
    dtype: factorDtype(module),
  }))
  const bytesOf = ({ fine }: DecomposeTask): number => elementCount(fine.shape) * dtypeBytes(fine.dtype)
  const totalBytes = tasks.reduce((sum, task) => sum + bytesOf(task), 0)
  let [doneBytes, doneModules, end] = [0, 0, 0]
  const report = () => onProgress?.({ doneBytes, totalBytes, doneModules, moduleCount: tasks.length })
  report()
  const stored: StoredFactors[] = []
  await decomposeAll(tasks, { threads, cacheBytes: CACHE_BYTES, signal }, async (index, factors) => {
    const { rank, a, b, overflow, squaredNorm, squaredError } = factors
    const start = end
    end += a.length + b.length
    stored[index] = { rank, start, aBytes: a.length, bBytes: b.length, overflow, squaredNorm, squaredError }
    await folder.scratch.write(a, 0, a.length, start)
    await folder.scratch.write(b, 0, b.length, start + a.length)
    doneBytes += bytesOf(tasks[index]!)
    doneModules++
    report()
  })
  return stored
}

type AdapterTensor = { readonly dtype: Dtype; readonly shape: readonly number[] } & (
  | { readonly scratch: { readonly start: number; readonly byteCount: number; readonly overflow: number } }
  | { readonly source: TensorSource }
)

const facts = ({ dtype, shape }: TensorSource) => ({ dtype, shape })

/** Factors are stored as the fine-tune's weight is; those of 8 bits have no room for them. */
const factorDtype = ({ fine }: ChangedTensor): Dtype => (dtypeBytes(fine.dtype) === 1 ? 'F32' : fine.dtype)

/**
 * Writes the file of an adapter, in alphabetical order.
 * @throws LoraError 'extract-values-not-finite' if it is strict
 */
async function writeTensors(
  folder: AdapterFolder,
  reader: SourceReader,
  tensors: ReadonlyMap<string, AdapterTensor>,
  { fineTune, strict = false, signal }: ExtractionRun,
): Promise<Pick<ExtractionResult, 'writtenBytes' | 'nonFinite'>> {
  const found: NonFiniteTensor[] = []
  const names = [...tensors.keys()].sort()
  const writer = await createSafetensorsWriter(
    join(folder.path, 'adapter_model.safetensors'),
    names.map((name) => ({ name, dtype: tensors.get(name)!.dtype, shape: tensors.get(name)!.shape })),
    { format: 'pt' },
  )
  try {
    for (const name of names) {
      const tensor = tensors.get(name)!
      const size = dtypeBytes(tensor.dtype)
      const byteCount = elementCount(tensor.shape) * size
      const step = Math.floor(COPY_BYTES / size) * size
      const overflow = 'scratch' in tensor ? tensor.scratch.overflow : 0
      let count = overflow
      for (let offset = 0; offset < byteCount; offset += step) {
        signal?.throwIfAborted()
        const bytes = new Uint8Array(Math.min(step, byteCount - offset))
        if ('source' in tensor) reader.read(tensor.source, offset / size, bytes.length / size, bytes)
        else await folder.scratch.read(bytes, 0, bytes.length, tensor.scratch.start + offset)
        if ('source' in tensor) count += countNonFinite(tensor.dtype, bytes)
        await writer.write(name, offset, bytes)
      }
      if (count > 0) {
        const inputs = overflow > 0 ? [] : [{ model: fineTune.reference.path, count }]
        found.push({ tensor: name, dtype: tensor.dtype, inputs, results: count, overflow })
        if (strict) throw new LoraError({ code: 'extract-values-not-finite', found: describeNonFinite(found.at(-1)!) })
      }
    }
    await writer.finish()
    return { writtenBytes: writer.fileBytes, nonFinite: found }
  } finally {
    await writer.close()
  }
}
