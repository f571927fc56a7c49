import { dtypeBytes, elementCount } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { GatherSegment, GatherSource } from '../tensor-source.ts'
import { type RowRun, runAt } from './gather-rows.ts'
import { meanOfRows, meanOfRuns } from './gather-means.ts'
import type { ReadContext } from './read-context.ts'
import { pieceElements, readFloats, withFloats } from './read-floats.ts'

/** Holds one row at a time where a mean is wanted, and otherwise nothing. */
export function readGather(
  context: ReadContext,
  source: GatherSource,
  start: number,
  count: number,
  into: Uint8Array,
): void {
  const columns = elementCount(source.shape.slice(1))
  const elementBytes = dtypeBytes(source.dtype)
  const runs = context.gatherRows.runsOf(source)
  let done = 0
  for (let index = runAt(runs, Math.floor(start / columns)); done < count; index++) {
    const run = runs[index]!
    const from = start + done - run.row * columns
    const taken = Math.min(count - done, run.rowCount * columns - from)
    readRun(
      context,
      source,
      run,
      columns,
      from,
      taken,
      into.subarray(done * elementBytes, (done + taken) * elementBytes),
    )
    done += taken
  }
}

/** Elements of a run, counted from its first row. */
function readRun(
  context: ReadContext,
  source: GatherSource,
  { segment }: RowRun,
  columns: number,
  from: number,
  count: number,
  into: Uint8Array,
): void {
  switch (segment.kind) {
    case 'zero':
      into.fill(0)
      return
    case 'copy':
      return copy(context, source, segment, columns, from, count, into)
    case 'mean':
      return repeat(
        context.gatherRows.row(source, segment, () => meanOfRows(context, source, segment.of, columns)),
        from,
        count,
        into,
        columns,
      )
    case 'mean-of-others': {
      const others = () => context.gatherRows.runsOf(source).filter((run) => run.segment.kind !== 'mean-of-others')
      return repeat(
        context.gatherRows.row(source, segment, () => meanOfRuns(context, source, others(), columns)),
        from,
        count,
        into,
        columns,
      )
    }
    default:
      segment satisfies never
  }
}

function copy(
  context: ReadContext,
  gather: GatherSource,
  segment: Extract<GatherSegment, { kind: 'copy' }>,
  columns: number,
  from: number,
  count: number,
  into: Uint8Array,
): void {
  const source = gather.sources[segment.source]!
  const first = segment.row * columns + from
  if (source.dtype === gather.dtype) return context.read(source, first, count, into)
  const elementBytes = dtypeBytes(gather.dtype)
  for (let done = 0; done < count; done += pieceElements) {
    const piece = Math.min(pieceElements, count - done)
    withFloats(context, piece, (values) => {
      readFloats(context, source, first + done, values)
      encode(gather.dtype, values, into.subarray(done * elementBytes, (done + piece) * elementBytes), 0)
    })
  }
}

function repeat(row: Uint8Array, from: number, count: number, into: Uint8Array, columns: number): void {
  const elementBytes = row.length / columns
  for (let done = 0; done < count;) {
    const column = (from + done) % columns
    const taken = Math.min(columns - column, count - done)
    into.set(row.subarray(column * elementBytes, (column + taken) * elementBytes), done * elementBytes)
    done += taken
  }
}
