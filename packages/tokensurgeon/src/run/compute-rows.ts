import { mostRows } from '../approximate/batch-rows.ts'
import { paysGram } from '../approximate/pursue.ts'
import type { Rotation } from '../approximate/rotary-pursuit.ts'
import { SurgeonError } from '../errors.ts'
import { usesShared } from '../settings.ts'
import type { SurgeonPool } from './pool.ts'
import type { Scratch } from './scratch.ts'
import { type MatrixWork, type Recipe, type RowFile, sharedDoubles, type SharedFiles, sharedIntegers } from './task.ts'
import type { ComputeProgress } from '@mk/merge'

/** A matrix, and what beside it its new rows are made of. */
export interface MatrixRequest {
  readonly work: MatrixWork
  /** Rows of tokens that both models have, in the order of DONOR's ids. */
  readonly shared: { readonly donor: readonly number[]; readonly model: readonly number[] }
  /** Of `subword`: the pieces of each new token. */
  readonly pieces?: { readonly starts: Int32Array; readonly ids: Int32Array }
  /** Of `mp_rope`. */
  readonly rotations?: { readonly donor: Rotation; readonly model: Rotation }
  /** For messages. */
  readonly labels: { readonly donor: string; readonly model: string }
}

/** Rows that were computed, in the order of the new tokens. */
export interface ComputedRows {
  readonly file: RowFile
  /** Those that could not be made, and are zeros. */
  readonly failed: readonly number[]
  /** Shared tokens that were left out, since a row of theirs is not finite. */
  readonly notFinite: number
  /** Shared tokens that rows were made of; 0 where none are needed. */
  readonly sharedCount: number
}

/** By what rows are computed. */
export interface ComputeTools {
  readonly pool: SurgeonPool
  readonly scratch: Scratch
  readonly onProgress?: ((progress: ComputeProgress) => void) | undefined
}

/** Rows of the Gram matrix that are computed together. */
const gramRows = 256

/** Computes the rows of one matrix. @throws SurgeonError 'surgeon-no-overlap', 'surgeon-not-finite' */
export async function computeRows(request: MatrixRequest, tools: ComputeTools, label: string): Promise<ComputedRows> {
  const { work } = request
  const { pool, scratch } = tools
  const width = work.model.shape[1]!
  const file = await scratch.create(`${partOf(work)}.f32`, work.targets.length, width)
  if (work.targets.length === 0) return { file, failed: [], notFinite: 0, sharedCount: 0 }
  const { recipe, temporary, notFinite, sharedCount } = await recipeOf(request, tools, label)
  const failed: number[] = []
  const count = Math.max(1, Math.min(mostRows, Math.ceil(work.targets.length / (4 * pool.size))))
  const meter = createMeter(tools, `making rows of ${label}`, work.targets.length, { bytes: 4 * width, what: 'tokens' })
  await each(pool, starts(work.targets.length, count), async (first) => {
    const own = Math.min(count, work.targets.length - first)
    failed.push(...(await pool.run({ kind: 'rows', work, recipe, first, count: own, into: file })))
    meter(own)
  })
  for (const one of temporary) await scratch.remove(one)
  return { file, failed: failed.sort((a, b) => a - b), notFinite, sharedCount }
}

interface MadeRecipe {
  readonly recipe: Recipe
  readonly temporary: readonly RowFile[]
  readonly notFinite: number
  readonly sharedCount: number
}

async function recipeOf(request: MatrixRequest, tools: ComputeTools, label: string): Promise<MadeRecipe> {
  const { work, pieces, rotations, labels } = request
  const { settings, model } = work
  const { method, k } = settings
  const nothing = { temporary: [], notFinite: 0, sharedCount: 0 }
  const shared = usesShared(method) ? await gatherShared(request, tools, label) : undefined
  const facts = shared && { temporary: shared.temporary, notFinite: shared.notFinite, sharedCount: shared.norms.length }
  switch (method) {
    case 'zero':
      return { recipe: { kind: 'zero' }, ...nothing }
    case 'randn':
      return { recipe: { kind: 'normal' }, ...nothing }
    case 'subword':
      return { recipe: { kind: 'pieces', ...pieces! }, ...nothing }
    case 'mean':
    case 'john_hewitt': {
      tools.onProgress?.({ label: `going through ${label}` })
      const recipe = await tools.pool.run({ kind: 'prepare', method, model, k })
      if (recipe === undefined)
        throw new SurgeonError({ code: 'surgeon-not-finite', model: labels.model, name: work.name, method })
      return { recipe, ...nothing }
    }
    case 'landmark_pca':
    case 'stb': {
      tools.onProgress?.({ label: `comparing the shared tokens of ${label}` })
      const recipe = await tools.pool.run({ kind: 'prepare', method, model, k, shared: shared!.files })
      return { recipe: recipe!, ...facts! }
    }
    case 'common_interpolation':
      return { recipe: { kind: 'nearest', shared: shared!.files, squaredNorms: shared!.norms }, ...facts! }
    case 'omp': {
      const { rows, width } = shared!.files.donor
      const gram = paysGram({ atoms: rows, width, targets: work.targets.length, k: Math.min(k, rows) })
        ? await computeGram(shared!.files.donor, tools, { label, part: partOf(work) })
        : undefined
      return {
        recipe: { kind: 'pursuit', shared: shared!.files, ...(gram && { gram }) },
        ...facts!,
        temporary: [...facts!.temporary, ...(gram ? [gram] : [])],
      }
    }
    case 'mp_rope':
      return {
        recipe: {
          kind: 'rotary',
          shared: shared!.files,
          donorRotation: rotations!.donor,
          modelRotation: rotations!.model,
        },
        ...facts!,
      }
    default:
      return method satisfies never
  }
}

interface GatheredRows {
  readonly files: SharedFiles
  /** Squared, of DONOR's rows. */
  readonly norms: Float64Array
  readonly temporary: readonly RowFile[]
  readonly notFinite: number
}

/** Puts the rows of shared tokens side by side; tokens with rows that are not finite are left out. */
async function gatherShared(
  { work, shared, labels }: MatrixRequest,
  { pool, scratch, onProgress }: ComputeTools,
  label: string,
): Promise<GatheredRows> {
  onProgress?.({ label: `reading the shared tokens of ${label}` })
  const none = () =>
    new SurgeonError({ code: 'surgeon-no-overlap', ...labels, name: work.name, method: work.settings.method })
  const gather = async (name: string, source: MatrixWork['donor'], rows: readonly number[]) => {
    const into = await scratch.create(name, rows.length, source.shape[1]!)
    const norms = sharedDoubles(new Float64Array(rows.length))
    const part = Math.max(1, Math.ceil(rows.length / pool.size))
    await each(pool, starts(rows.length, part), async (first) => {
      const ids = sharedIntegers(rows.slice(first, first + part))
      norms.set(await pool.run({ kind: 'gather', source, ids, first, into }), first)
    })
    return { into, norms }
  }
  const both = async (donorRows: readonly number[], modelRows: readonly number[]) => ({
    donor: await gather(`${partOf(work)}-shared-donor.f32`, work.donor, donorRows),
    model: await gather(`${partOf(work)}-shared-model.f32`, work.model, modelRows),
  })
  if (shared.donor.length === 0) throw none()
  let { donor, model } = await both(shared.donor, shared.model)
  const isFinite = (place: number) => Number.isFinite(donor.norms[place]!) && Number.isFinite(model.norms[place]!)
  const kept = shared.donor.flatMap((_, place) => (isFinite(place) ? [place] : []))
  const notFinite = shared.donor.length - kept.length
  if (kept.length === 0) throw none()
  if (notFinite > 0)
    ({ donor, model } = await both(
      kept.map((place) => shared.donor[place]!),
      kept.map((place) => shared.model[place]!),
    ))
  return {
    files: { donor: donor.into, model: model.into },
    norms: donor.norms,
    temporary: [donor.into, model.into],
    notFinite,
  }
}

async function computeGram(
  rows: RowFile,
  tools: ComputeTools,
  { label, part }: { readonly label: string; readonly part: string },
): Promise<RowFile> {
  const { pool, scratch } = tools
  const into = await scratch.create(`${part}-gram.f32`, rows.rows, rows.rows)
  const products = (rows.rows * (rows.rows + 1)) / 2
  const meter = createMeter(tools, `comparing the shared tokens of ${label}`, products, { bytes: 4 })
  await each(pool, starts(rows.rows, gramRows), async (first) => {
    const count = Math.min(gramRows, rows.rows - first)
    await pool.run({ kind: 'gram', rows, first, count, into })
    meter(count * (rows.rows - first) - (count * (count - 1)) / 2)
  })
  return into
}

/** What files of a matrix begin with: threads keep files open by their names. */
const partOf = ({ isHead }: MatrixWork): string => (isHead ? 'head' : 'embedding')

const starts = (count: number, step: number): readonly number[] =>
  Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step)

/** Does something for each number, as many at a time as there are threads. */
async function each(
  { size }: SurgeonPool,
  numbers: readonly number[],
  work: (number: number) => Promise<void>,
): Promise<void> {
  const queue = numbers.values()
  let failed = false
  await Promise.all(
    Array.from({ length: Math.min(size, numbers.length) }, async () => {
      for (const number of queue) {
        if (failed) return
        try {
          await work(number)
        } catch (error) {
          failed = true
          throw error
        }
      }
    }),
  )
}

/** Tells how far something is that is counted; without a name for what is counted, only in bytes. */
function createMeter(
  { onProgress }: ComputeTools,
  label: string,
  total: number,
  { bytes, what }: { readonly bytes: number; readonly what?: string },
): (more: number) => void {
  let done = 0
  const report = () =>
    onProgress?.({
      label,
      bytes: { done: done * bytes, total: total * bytes },
      ...(what !== undefined && { count: `${done} of ${total} ${what}` }),
    })
  report()
  return (more) => {
    done += more
    report()
  }
}
