import { dtypeBytes } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import { INFINITY_BITS } from '../numbers/numerics.ts'
import { needsWholeRows, usedInputs } from '../program/requirements.ts'
import type { Program } from '../program/program.ts'
import type { KernelCall } from './runtime.ts'

/**
 * Sees to it that a call fits its program: buffers and lists of the right lengths, rows where the contract wants them.
 * @throws TensorError 'malformed-call' or 'input-bytes'
 */
export function checkCall(program: Program, call: KernelCall): void {
  const { elementCount, offset, columns } = call
  const need = (holds: boolean, problem: string) => {
    if (!holds) throw new TensorError({ code: 'malformed-call', problem })
  }
  need(Number.isInteger(elementCount) && elementCount >= 0, `elementCount is ${elementCount}`)
  need(Number.isSafeInteger(offset) && offset >= 0, `offset is ${offset}`)
  need(Number.isInteger(columns) && (columns > 0 || (columns === 0 && elementCount === 0)), `columns is ${columns}`)
  need(call.scalars.length === program.scalarCount, `${call.scalars.length} scalars, expected ${program.scalarCount}`)
  need(
    call.vectors.length === program.vectors.length,
    `${call.vectors.length} vectors, expected ${program.vectors.length}`,
  )
  for (const slot of usedInputs(program)) {
    const dtype = program.inputs[slot]!
    const expected = elementCount * dtypeBytes(dtype)
    const got = call.inputs[slot]?.byteLength ?? 0
    if (got < expected) throw new TensorError({ code: 'input-bytes', slot, dtype, expected, got })
  }
  const stores = program.outputs.filter((output) => output.kind === 'store')
  stores.forEach(({ dtype }, index) => {
    const expected = elementCount * dtypeBytes(dtype)
    const got = call.outputs[index]?.byteLength ?? 0
    need(got >= expected, `output ${index} has ${got} bytes, expected ${expected}`)
  })
  const end = offset + elementCount
  if (elementCount > 0) {
    program.vectors.forEach((per, slot) => {
      const length = call.vectors[slot]!.length
      const expected = per === 'column' ? columns : Math.ceil(end / columns)
      need(length >= expected, `vector ${slot} has ${length} values, expected at least ${expected}`)
    })
    const wholeRows = offset % columns === 0 && end % columns === 0
    const withinRow = Math.floor(offset / columns) === Math.floor((end - 1) / columns)
    if (needsWholeRows(program))
      need(wholeRows, `elements ${offset} to ${end} are not whole rows of ${columns}, which rank needs`)
    if (program.outputs.some((output) => output.kind === 'reduce' && output.per === 'row')) {
      need(wholeRows || withinRow, `elements ${offset} to ${end} are neither whole rows of ${columns} nor part of one`)
    }
  }
  for (const output of program.outputs) {
    if (output.kind !== 'histogram') continue
    const lo = call.scalars[output.lo]!
    const shift = call.scalars[output.shift]!
    need(Number.isInteger(shift) && shift >= 0 && shift < 32, `a histogram's shift is ${shift}`)
    need(
      Number.isInteger(lo) && lo >= 0 && lo + output.bins * 2 ** shift <= INFINITY_BITS + 1,
      `a histogram from ${lo} of ${output.bins} bins, shift ${shift}, reaches into NaN`,
    )
  }
}
