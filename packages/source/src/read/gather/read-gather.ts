import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { GatherSegment, GatherSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { stepElements } from '../elements/scratch.ts'
import { createKeptRows } from './kept-rows.ts'
import { meanOfRows, meanOfRuns } from './row-means.ts'
import { type RowRun, type RowRuns, rowRuns, runAt } from './row-runs.ts'

type Copy = Extract<GatherSegment, { kind: 'copy' }>
type Mean = Extract<GatherSegment, { kind: 'mean' | 'mean-of-others' }>

/** Creates the reader of gathers. It holds one row at a time where a mean is wanted, and otherwise nothing. */
export function createGatherReader(elements: ElementReader): ReadElements<GatherSource> {
  const runsOfGathers = new WeakMap<GatherSource, RowRuns>()
  const kept = createKeptRows()

  function runsOf(source: GatherSource): RowRuns {
    let known = runsOfGathers.get(source)
    if (known === undefined) runsOfGathers.set(source, (known = rowRuns(source)))
    return known
  }

  /** Reads elements of a run, counted from its first row. */
  function readRun(gather: RowRuns, { segment }: RowRun, from: number, count: number, into: Uint8Array): void {
    switch (segment.kind) {
      case 'zero':
        into.fill(0)
        return
      case 'copy':
        return readCopy(gather, segment, from, count, into)
      case 'mean':
      case 'mean-of-others':
        return repeat(meanOf(gather, segment), gather.columns, from, count, into)
      default:
        segment satisfies never
    }
  }

  function readCopy(
    { source: gather, columns }: RowRuns,
    segment: Copy,
    from: number,
    count: number,
    into: Uint8Array,
  ) {
    const source = gather.sources[segment.source]!
    const first = segment.row * columns + from
    if (source.dtype === gather.dtype) return elements.read(source, first, count, into)
    if (gather.dtype === 'F32' && into.byteOffset % 4 === 0)
      return elements.readFloats(source, first, new Float32Array(into.buffer, into.byteOffset, count))
    const elementBytes = dtypeBytes(gather.dtype)
    for (let done = 0; done < count; done += stepElements) {
      const step = Math.min(stepElements, count - done)
      elements.scratch.withFloats(step, (values) => {
        elements.readFloats(source, first + done, values)
        encode(gather.dtype, values, into.subarray(done * elementBytes, (done + step) * elementBytes), 0)
      })
    }
  }

  function meanOf(gather: RowRuns, segment: Mean): Uint8Array {
    const known = kept.find(gather.source, segment)
    if (known !== undefined) return known
    const row =
      segment.kind === 'mean'
        ? meanOfRows(elements, gather, segment.of)
        : meanOfRuns(
            elements,
            gather,
            gather.runs.filter((run) => run.segment.kind !== 'mean-of-others'),
          )
    kept.keep(gather.source, segment, row)
    return row
  }

  return (source, start, count, into) => {
    const gather = runsOf(source)
    const { columns, runs } = gather
    const elementBytes = dtypeBytes(source.dtype)
    let done = 0
    for (let index = runAt(runs, Math.floor(start / columns)); done < count; index++) {
      const run = runs[index]!
      const from = start + done - run.row * columns
      const taken = Math.min(count - done, run.rowCount * columns - from)
      readRun(gather, run, from, taken, into.subarray(done * elementBytes, (done + taken) * elementBytes))
      done += taken
    }
  }
}

/** Writes `count` elements of a row that repeats, from element `from` of the first repetition on. */
function repeat(row: Uint8Array, columns: number, from: number, count: number, into: Uint8Array): void {
  const elementBytes = row.length / columns
  for (let done = 0; done < count;) {
    const column = (from + done) % columns
    const taken = Math.min(columns - column, count - done)
    into.set(row.subarray(column * elementBytes, (column + taken) * elementBytes), done * elementBytes)
    done += taken
  }
}
