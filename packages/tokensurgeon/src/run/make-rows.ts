import type { SourceReader } from '@mk/source/node'
import { randomKey } from '@mk/tensor'
import type { Runtime } from '@mk/tensor/runtime'
import type { Combination } from '../approximate/choose.ts'
import { prepareMap } from '../approximate/linear-map.ts'
import { prepareNearest } from '../approximate/nearest.ts'
import { preparePursuit } from '../approximate/pursue.ts'
import { normalAt } from '../approximate/random.ts'
import { frequenciesOf, prepareRotaryPursuit, turn } from '../approximate/rotary-pursuit.ts'
import { blockRows, type RowStore } from '../rows/row-store.ts'
import type { RowFiles } from './row-file.ts'
import { rowsOfSource } from './source-rows.ts'
import type { MatrixWork, Recipe } from './task.ts'
import { combinePieces } from '../approximate/combine-pieces.ts'

/** Rows that were made, and which could not be. */
interface MadeRows {
  readonly rows: Float32Array
  readonly failed: Int32Array
}

/** Makes rows of new tokens: `count` of them, from a place among them on. */
export type RowMaker = (first: number, count: number) => Promise<MadeRows>

/** By what a thread makes rows. */
export interface MakerTools {
  /** Opened where it is asked for first. */
  readonly openRuntime: () => Promise<Runtime>
  readonly reader: SourceReader
  readonly files: RowFiles
}

/** What one call of a maker has to do: rows [count × width of MODEL], from place `first` on. */
interface Making {
  readonly first: number
  readonly count: number
  readonly rows: Float32Array
  readonly fail: (index: number) => void
}

/** Which words of random numbers noise is drawn by, and which rows. */
const drawnFor = { rows: 0, noise: 1 } as const

/** Prepares the rows of a matrix. What a row is depends on its token alone, not on those that are made with it. */
export async function createRowMaker(tools: MakerTools, work: MatrixWork, recipe: Recipe): Promise<RowMaker> {
  const { settings, seed, name, model } = work
  const width = model.shape[1]!
  const make = await makerOf(tools, work, recipe)
  const noise = randomKey(seed, name, drawnFor.noise)
  return async (first, count) => {
    const rows = new Float32Array(count * width)
    const failed: number[] = []
    await make({ first, count, rows, fail: (index) => failed.push(first + index) })
    for (let index = 0; index < count; index++) {
      const row = rows.subarray(index * width, (index + 1) * width)
      if (!Number.isFinite(row.reduce((sum, value) => sum + value * value, 0))) failed.push(first + index)
      if (failed.at(-1) === first + index) {
        row.fill(0)
        continue
      }
      const start = (first + index) * width
      const { newVocabNoise, newVocabScale } = settings
      if (newVocabNoise !== 0) for (let i = 0; i < width; i++) row[i]! += newVocabNoise * normalAt(noise, start + i)
      if (newVocabScale !== 1) for (let i = 0; i < width; i++) row[i]! *= newVocabScale
    }
    return { rows, failed: Int32Array.from(failed) }
  }
}

async function makerOf(
  tools: MakerTools,
  work: MatrixWork,
  recipe: Recipe,
): Promise<(making: Making) => void | Promise<void>> {
  const { settings, seed, name } = work
  const width = work.model.shape[1]!
  const drawn = randomKey(seed, name, drawnFor.rows)
  const drawInto = (into: Float32Array, start: number) => {
    for (let i = 0; i < into.length; i++) into[i] = normalAt(drawn, start + i)
  }
  switch (recipe.kind) {
    case 'zero':
      return () => {}
    case 'constant':
      return ({ rows }) => {
        for (let i = 0; i < rows.length; i++) rows[i] = recipe.row[i % width]!
      }
    case 'normal': {
      if (recipe.map === undefined) return ({ first, rows }) => drawInto(rows, first * width)
      return inBlocks(
        width,
        (most) => mapRows(tools, recipe.map!, most),
        async (map, { first, count, rows }) => {
          const numbers = new Float32Array(count * width)
          drawInto(numbers, first * width)
          rows.set(await map(numbers, count))
        },
      )
    }
    case 'pieces': {
      const model = rowsOfSource(tools.reader, work.model)
      return ({ first, count, rows }) => {
        for (let index = 0; index < count; index++) {
          const ids = recipe.ids.subarray(recipe.starts[first + index]!, recipe.starts[first + index + 1]!)
          combinePieces(
            model,
            ids,
            { method: settings.subwordMethod, isHead: work.isHead },
            rows.subarray(index * width, (index + 1) * width),
          )
        }
      }
    }
    case 'map':
      return ofTargets(tools, work, {
        prepare: async () => {
          const most = blockRows(Math.max(width, work.donor.shape[1]!))
          const map = await mapRows(tools, recipe.map, most)
          return { batch: most, make: async (targets, count, rows) => rows.set(await map(targets, count)) }
        },
      })
    case 'pursuit':
    case 'nearest': {
      const donor = tools.files.open(recipe.shared.donor)
      const model = tools.files.open(recipe.shared.model)
      const { k, batchSize } = settings
      const pursuit =
        recipe.kind === 'pursuit'
          ? await preparePursuit(
              await tools.openRuntime(),
              { atoms: donor, k, gram: recipe.gram && tools.files.open(recipe.gram) },
              batchSize,
            )
          : await prepareNearest(await tools.openRuntime(), donor, recipe.squaredNorms, { settings, batchSize })
      return ofTargets(tools, work, {
        prepare: async () => ({
          batch: pursuit.batch,
          make: async (targets, count, rows) => {
            const found = await pursuit.solve(targets, count)
            found.forEach((combination, index) =>
              combine(model, combination, rows.subarray(index * width, (index + 1) * width)),
            )
          },
        }),
      })
    }
    case 'rotary': {
      const donor = tools.files.open(recipe.shared.donor)
      const model = tools.files.open(recipe.shared.model)
      const { k, batchSize } = settings
      const { donorRotation, modelRotation } = recipe
      const pursuit = await prepareRotaryPursuit(
        await tools.openRuntime(),
        { atoms: donor, rotation: donorRotation, k },
        batchSize,
      )
      const frequencies = frequenciesOf(modelRotation, width)
      const [row, turned] = [new Float32Array(width), new Float32Array(width)]
      return ofTargets(tools, work, {
        prepare: async () => ({
          batch: pursuit.batch,
          make: async (targets, count, rows) => {
            const found = await pursuit.solve(targets, count)
            found.forEach(({ atoms, positions, coefficients }, index) => {
              const sum = new Float64Array(width)
              atoms.forEach((atom, place) => {
                model.read(atom, 1, row)
                turn(row, positions[place]!, modelRotation.headSize, frequencies, turned)
                for (let i = 0; i < width; i++) sum[i]! += coefficients[place]! * turned[i]!
              })
              rows.set(sum, index * width)
            })
          },
        }),
      })
    }
    default:
      return recipe satisfies never
  }
}

const mapRows = async ({ openRuntime }: MakerTools, map: Parameters<typeof prepareMap>[1], most: number) =>
  prepareMap(await openRuntime(), map, most)

/** Goes through what is to be made in parts of a few megabytes. */
async function inBlocks<Prepared>(
  width: number,
  prepare: (most: number) => Promise<Prepared>,
  make: (prepared: Prepared, making: Making) => Promise<void>,
): Promise<(making: Making) => Promise<void>> {
  const most = blockRows(width)
  const prepared = await prepare(most)
  return async ({ first, count, rows, fail }) => {
    for (let start = 0; start < count; start += most) {
      const part = Math.min(most, count - start)
      const own = rows.subarray(start * width, (start + part) * width)
      await make(prepared, { first: first + start, count: part, rows: own, fail })
    }
  }
}

interface OfTargets {
  readonly prepare: () => Promise<{
    readonly batch: number
    /** @param targets `count` rows of DONOR @param rows those of MODEL to make of them */
    readonly make: (targets: Float32Array, count: number, rows: Float32Array) => Promise<void>
  }>
}

/** Reads the rows of DONOR that new ones are made of; one that is not there or not finite makes none. */
async function ofTargets(
  { reader }: MakerTools,
  { donor, model, targets }: MatrixWork,
  { prepare }: OfTargets,
): Promise<(making: Making) => Promise<void>> {
  const source = rowsOfSource(reader, donor)
  const [donorWidth, width] = [donor.shape[1]!, model.shape[1]!]
  const { batch, make } = await prepare()
  return async ({ first, count, rows, fail }) => {
    for (let start = 0; start < count; start += batch) {
      const part = Math.min(batch, count - start)
      const read = new Float32Array(part * donorWidth)
      const places: number[] = []
      for (let index = 0; index < part; index++) {
        const row = read.subarray(places.length * donorWidth, (places.length + 1) * donorWidth)
        const target = targets[first + start + index]!
        if (target >= 0) source.read(target, 1, row)
        if (target >= 0 && Number.isFinite(row.reduce((sum, value) => sum + value * value, 0))) places.push(index)
        else fail(start + index)
      }
      if (places.length === 0) continue
      const made = new Float32Array(places.length * width)
      await make(read.subarray(0, places.length * donorWidth), places.length, made)
      places.forEach((index, place) =>
        rows.set(made.subarray(place * width, (place + 1) * width), (start + index) * width),
      )
    }
  }
}

/** Adds up rows, in float64. */
function combine(rows: RowStore, { atoms, coefficients }: Combination, into: Float32Array): void {
  const { width } = rows
  const sum = new Float64Array(width)
  const row = new Float32Array(width)
  atoms.forEach((atom, place) => {
    rows.read(atom, 1, row)
    const factor = coefficients[place]!
    for (let i = 0; i < width; i++) sum[i]! += factor * row[i]!
  })
  into.set(sum)
}
