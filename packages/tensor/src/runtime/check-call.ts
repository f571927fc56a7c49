import { dtypeBytes } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import { INFINITY_BITS } from '../numbers/numerics.ts'
import { needsWholeRows, usedInputs } from '../program/requirements.ts'
import type { Program, ProgramOutput } from '../program/program.ts'
import type { KernelCall } from './runtime.ts'

/**
 * Sees to it that a call fits its program: buffers and lists of the right lengths, rows where the contract wants them.
 * @throws TensorError 'malformed-call' or 'input-bytes'
 */
export const checkCall = (program: Program, call: KernelCall): void => createCallCheck(program)(call)

/** Prepares that check for the calls of one program, of which there are thousands. */
export function createCallCheck(program: Program): (call: KernelCall) => void {
  const used = usedInputs(program).map((slot) => {
    const dtype = program.inputs[slot]!
    return { slot, dtype, bytes: dtypeBytes(dtype) }
  })
  const stored = program.outputs.flatMap((output) => (output.kind === 'store' ? [dtypeBytes(output.dtype)] : []))
  const histograms = program.outputs.filter((output) => output.kind === 'histogram')
  const collections = program.outputs.filter((output) => output.kind === 'collect')
  const usesRank = needsWholeRows(program)
  const givesRows = program.outputs.some((output) => output.kind === 'reduce' && output.per === 'row')
  return (call) => {
    checkExtent(call)
    const { elementCount, offset, columns } = call
    if (call.scalars.length !== program.scalarCount)
      throw malformed(`${call.scalars.length} scalars, expected ${program.scalarCount}`)
    if (call.vectors.length !== program.vectors.length)
      throw malformed(`${call.vectors.length} vectors, expected ${program.vectors.length}`)
    for (let index = 0; index < used.length; index++) {
      const { slot, dtype, bytes } = used[index]!
      const expected = elementCount * bytes
      const got = call.inputs[slot]?.byteLength ?? 0
      if (got < expected) throw new TensorError({ code: 'input-bytes', slot, dtype, expected, got })
    }
    for (let index = 0; index < stored.length; index++) {
      const expected = elementCount * stored[index]!
      const got = call.outputs[index]?.byteLength ?? 0
      if (got < expected) throw malformed(`output ${index} has ${got} bytes, expected ${expected}`)
    }
    if (elementCount > 0) {
      const end = offset + elementCount
      for (let slot = 0; slot < program.vectors.length; slot++) {
        const { length } = call.vectors[slot]!
        const expected = program.vectors[slot] === 'column' ? columns : Math.ceil(end / columns)
        if (length < expected) throw malformed(`vector ${slot} has ${length} values, expected at least ${expected}`)
      }
      if (usesRank || givesRows) {
        const wholeRows = offset % columns === 0 && end % columns === 0
        const withinRow = Math.floor(offset / columns) === Math.floor((end - 1) / columns)
        if (usesRank && !wholeRows)
          throw malformed(`elements ${offset} to ${end} are not whole rows of ${columns}, which rank needs`)
        if (givesRows && !wholeRows && !withinRow)
          throw malformed(`elements ${offset} to ${end} are neither whole rows of ${columns} nor part of one`)
      }
    }
    for (let index = 0; index < histograms.length; index++) checkHistogram(histograms[index]!, call)
    for (let index = 0; index < collections.length; index++) checkCollection(collections[index]!, call)
  }
}

const malformed = (problem: string) => new TensorError({ code: 'malformed-call', problem })

function checkExtent({ elementCount, offset, columns }: KernelCall): void {
  if (!Number.isInteger(elementCount) || elementCount < 0) throw malformed(`elementCount is ${elementCount}`)
  if (!Number.isSafeInteger(offset) || offset < 0) throw malformed(`offset is ${offset}`)
  if (!Number.isInteger(columns) || columns < 0 || (columns === 0 && elementCount > 0))
    throw malformed(`columns is ${columns}`)
}

function checkHistogram(
  { lo: loSlot, shift: shiftSlot, bins }: Extract<ProgramOutput, { kind: 'histogram' }>,
  { scalars }: KernelCall,
): void {
  const lo = scalars[loSlot]!
  const shift = scalars[shiftSlot]!
  if (!Number.isInteger(shift) || shift < 0 || shift >= 32) throw malformed(`a histogram's shift is ${shift}`)
  if (!Number.isInteger(lo) || lo < 0 || lo + bins * 2 ** shift > INFINITY_BITS + 1)
    throw malformed(`a histogram from ${lo} of ${bins} bins, shift ${shift}, reaches into NaN`)
}

function checkCollection({ windows }: Extract<ProgramOutput, { kind: 'collect' }>, { scalars }: KernelCall): void {
  let from = 0
  for (const { lo: loSlot, hi: hiSlot } of windows) {
    const lo = scalars[loSlot]!
    const hi = scalars[hiSlot]!
    if (!Number.isInteger(lo) || !Number.isInteger(hi) || lo < from || hi < lo || hi > INFINITY_BITS + 1)
      throw malformed(`values are to be collected from ${lo} to ${hi}`)
    from = hi
  }
}
