import { openRuntime, type RuntimeSpecifier } from '@mk/merge/run'
import { createSourceReader } from '@mk/source/node'
import type { Runtime } from '@mk/tensor/runtime'
import { gaussianMap } from '../approximate/gaussian.ts'
import { createCorrelator } from '../approximate/correlate.ts'
import { landmarkMap, type LinearMap, meanOfRows, sparseBasisMap } from '../approximate/linear-map.ts'
import { findUntrained } from '../rows/untrained-rows.ts'
import { blockRows, eachBlock, type RowStore } from '../rows/row-store.ts'
import { createRowMaker, type RowMaker } from './make-rows.ts'
import { createRowFiles } from './row-file.ts'
import { rowsOfSource } from './source-rows.ts'
import { type Recipe, sharedDoubles, sharedFloats, type Surgeon, type SurgeonTask, type TaskResults } from './task.ts'

type TaskOf<Kind extends SurgeonTask['kind']> = Extract<SurgeonTask, { readonly kind: Kind }>
type Handlers = { readonly [Kind in SurgeonTask['kind']]: (task: TaskOf<Kind>) => Promise<TaskResults[Kind]> }

/** Opens what does tasks in this thread. Rows of one matrix after another keep what was prepared for them. */
export function createSurgeon(specifier: RuntimeSpecifier): Surgeon {
  const reader = createSourceReader()
  const files = createRowFiles()
  // Buffers of a runtime are its for good, so that each matrix gets one of its own.
  let runtime: Promise<Runtime> | undefined
  let maker: { readonly key: string; readonly maker: Promise<RowMaker> } | undefined
  const forget = async (): Promise<void> => {
    const before = runtime
    maker = undefined
    runtime = undefined
    // Of files that were deleted meanwhile nothing is left on the disk.
    files.close()
    await (await before)?.close()
  }
  const open = (): Promise<Runtime> => (runtime ??= openRuntime(specifier))
  const renew = async (): Promise<Runtime> => {
    await forget()
    return open()
  }

  const handlers: Handlers = {
    async gather({ source, ids, first, into }) {
      const rows = rowsOfSource(reader, source)
      const norms = new Float64Array(ids.length)
      const most = blockRows(rows.width)
      const block = new Float32Array(Math.min(ids.length, most) * rows.width)
      for (let start = 0; start < ids.length; start += most) {
        const count = Math.min(most, ids.length - start)
        for (let i = 0; i < count; i++) {
          const row = block.subarray(i * rows.width, (i + 1) * rows.width)
          rows.read(ids[start + i]!, 1, row)
          norms[start + i] = row.reduce((sum, value) => sum + value * value, 0)
        }
        files.write(into, (first + start) * rows.width, block.subarray(0, count * rows.width))
      }
      return norms
    },
    async gram({ rows, first, count, into }) {
      const own = await renew()
      const all = files.open(rows)
      const { width } = rows
      const tail: RowStore = {
        rows: all.rows - first,
        width,
        read: (start, many, to) => all.read(first + start, many, to),
      }
      const targets = new Float32Array(count * width)
      all.read(first, count, targets)
      const correlator = await createCorrelator(own, tail, count)
      const products = await correlator.correlate(targets, count)
      for (let row = 0; row < count; row++)
        files.write(into, (first + row) * into.width + first, products.subarray(row * tail.rows, (row + 1) * tail.rows))
      const mirrored = new Float32Array(count)
      for (let column = count; column < tail.rows; column++) {
        for (let row = 0; row < count; row++) mirrored[row] = products[row * tail.rows + column]!
        files.write(into, (first + column) * into.width + first, mirrored)
      }
      return count
    },
    async prepare({ method, model, shared, k }) {
      if (method === 'mean' || method === 'john_hewitt') {
        const rows = await finiteRows(rowsOfSource(reader, model))
        if (rows.rows === 0) return undefined
        if (method === 'mean') return { kind: 'constant', row: sharedDoubles(await meanOfRows(rows)) }
        return { kind: 'normal', map: sharedMap(await gaussianMap(await renew(), rows)) }
      }
      const own = await renew()
      const rows = { donor: files.open(shared!.donor), model: files.open(shared!.model) }
      const map = method === 'stb' ? await sparseBasisMap(own, rows, k) : await landmarkMap(own, rows)
      return { kind: 'map', map: sharedMap(map) } satisfies Recipe
    },
    untrained: ({ source, unused, byNorm }) => findUntrained(rowsOfSource(reader, source), { unused, byNorm }),
    async rows({ work, recipe, first, count, into }) {
      if (maker?.key !== into.path) {
        await forget()
        maker = { key: into.path, maker: createRowMaker({ openRuntime: open, reader, files }, work, recipe) }
      }
      const { rows, failed } = await (await maker.maker)(first, count)
      files.write(into, first * into.width, rows)
      return failed
    },
  }
  return {
    run: (task) => (handlers[task.kind] as (task: SurgeonTask) => Promise<never>)(task),
    async close() {
      files.close()
      reader.close()
      await (await runtime)?.close()
    },
  }
}

const sharedMap = ({ donorMean, modelMean, matrix }: LinearMap): LinearMap => ({
  donorMean: sharedDoubles(donorMean),
  modelMean: sharedDoubles(modelMean),
  matrix: sharedFloats(matrix),
})

/** Leaves out rows with infinite values or NaN. */
async function finiteRows(rows: RowStore): Promise<RowStore> {
  const kept: number[] = []
  await eachBlock(rows, new Float32Array(blockRows(rows.width) * rows.width), (block, first, count) => {
    for (let row = 0; row < count; row++) {
      const sum = block
        .subarray(row * rows.width, (row + 1) * rows.width)
        .reduce((all, value) => all + value * value, 0)
      if (Number.isFinite(sum)) kept.push(first + row)
    }
  })
  if (kept.length === rows.rows) return rows
  return {
    rows: kept.length,
    width: rows.width,
    read(first, count, into) {
      for (let i = 0; i < count; i++)
        rows.read(kept[first + i]!, 1, into.subarray(i * rows.width, (i + 1) * rows.width))
    },
  }
}
