import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { encode } from '../numbers/dtypes.ts'
import { INFINITY_BITS } from '../numbers/numerics.ts'
import type { Program } from '../program/program.ts'
import { needsWholeRows } from '../program/requirements.ts'
import type { KernelCall } from '../runtime/runtime.ts'
import type { Dice } from './dice.ts'

/** Draws a call that the program accepts, of up to some hundred elements: at any place, of any bits, with numbers at the edges. */
export function randomCall(dice: Dice, program: Program): KernelCall {
  const wholeRows = needsWholeRows(program)
  const rows = wholeRows || program.outputs.some((output) => output.kind === 'reduce' && output.per === 'row')
  const columns = dice.pick([1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 64, 100, 257])
  const wild = dice.chance(0.3)
  let start = dice.below(3 * columns)
  let elementCount = dice.below(300)
  if (wholeRows || (rows && dice.chance(0.5))) {
    start = dice.below(4) * columns
    elementCount = dice.below(Math.ceil(300 / columns)) * columns
  } else if (rows) {
    elementCount = Math.min(elementCount, columns - (start % columns))
  }
  // A tensor so large that the call may contain the 2^32nd element.
  if (dice.chance(0.3) && program.vectors.length === 0)
    start += Math.floor((2 ** 32 - dice.below(200)) / columns) * columns
  const scalars = Array.from({ length: program.scalarCount }, () => number(dice, wild))
  program.instructions.forEach((instruction) => {
    if (instruction.op === 'before')
      scalars[instruction.slot] = Math.max(0, start + dice.below(2 * elementCount + 1) - dice.below(10))
    if (instruction.op === 'uniform') [scalars[instruction.high], scalars[instruction.low]] = [dice.word(), dice.word()]
  })
  for (const output of program.outputs) {
    if (output.kind === 'locate') scalars[output.nth] = dice.below(elementCount + 2) >> dice.below(5)
    if (output.kind === 'collect') {
      const bounds = output.windows.flatMap(() =>
        [0, 1].map(() => (dice.chance(0.7) ? 0x3c000000 + dice.below(2 ** 26) : dice.below(INFINITY_BITS + 2))),
      )
      bounds.sort((a, b) => a - b)
      output.windows.forEach(({ lo, hi }, window) => {
        scalars[lo] = bounds[2 * window]!
        scalars[hi] = bounds[2 * window + 1]!
      })
    }
    if (output.kind === 'histogram') {
      let shift = dice.below(24)
      while (output.bins * 2 ** shift > INFINITY_BITS + 1) shift--
      const room = INFINITY_BITS + 1 - output.bins * 2 ** shift
      scalars[output.shift] = shift
      scalars[output.lo] = dice.chance(0.3)
        ? 0
        : Math.min(room, dice.chance(0.7) ? 0x3c000000 + dice.below(2 ** 26) : dice.below(room + 1))
    }
  }
  const stores = program.outputs.filter((output) => output.kind === 'store')
  return {
    elementCount,
    offset: start,
    columns,
    scalars,
    inputs: program.inputs.map((dtype) => elements(dice, dtype, elementCount, wild)),
    vectors: program.vectors.map((per) =>
      Float32Array.from({ length: per === 'column' ? columns : Math.ceil((start + elementCount) / columns) }, () =>
        number(dice, wild),
      ),
    ),
    outputs: stores.map(({ dtype }) => new Uint8Array(elementCount * dtypeBytes(dtype))),
  }
}

const edges = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  2 ** -126,
  2 ** -149,
  -(2 ** -140),
  65504,
  65520,
  448,
  464,
  465,
  2 ** 31,
  2 ** 63,
  -(2 ** 63),
  0.5,
  1.5,
  2.5,
  -0.5,
  3.4e38,
]

function number(dice: Dice, wild: boolean): number {
  if (wild && dice.chance(0.4)) return dice.pick(edges)
  const size = Math.fround((dice.word() / 2 ** 32 - 0.5) * (wild ? 2 ** (dice.below(60) - 30) : 4))
  return dice.chance(0.3) ? Math.fround(Math.round(size * 4) / 4) : size
}

function elements(dice: Dice, dtype: Dtype, count: number, wild: boolean): Uint8Array {
  const bytes = new Uint8Array(count * dtypeBytes(dtype))
  if (wild && dice.chance(0.5)) return bytes.map(() => dice.word())
  encode(
    dtype,
    Float32Array.from({ length: count }, () => number(dice, wild) * (/[IU]/.test(dtype[0]!) ? 40 : 1)),
    bytes,
    0,
  )
  return bytes
}
