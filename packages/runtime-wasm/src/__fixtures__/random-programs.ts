import { type Dtype, dtypeBytes, dtypes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { Instruction, KernelCall, Program, ProgramOutput } from '@mk/tensor/runtime'

/** Numbers that depend on the seed only. */
export function createDice(seed: number) {
  let state = seed >>> 0
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (n: number): number => word() % n
  return {
    word,
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)]!,
    chance: (p: number): boolean => word() < p * 2 ** 32,
  }
}
type Dice = ReturnType<typeof createDice>

/** Any well-formed program, of up to 30 instructions. */
export function randomProgram(dice: Dice): Program {
  const inputs = Array.from({ length: 1 + dice.below(3) }, () => (dice.chance(0.6) ? 'BF16' : dice.pick(dtypes)))
  const scalars: number[] = []
  const vectors: ('row' | 'column')[] = []
  const instructions: Instruction[] = inputs.map((_, slot) => ({ op: 'input', slot }))
  const values = instructions.map((_, index) => index)
  const masks: number[] = []
  const scalar = (): number => scalars.push(0) - 1
  const kinds = [
    'unary',
    'binary',
    'binary',
    'binary',
    'compare',
    'logic',
    'select',
    'scalar',
    'vector',
    'uniform',
    'rank',
    'before',
  ] as const
  const count = dice.below(28)
  for (let i = 0; i < count; i++) {
    const a = dice.pick(values)
    const b = dice.pick(values)
    const add = (list: number[], instruction: Instruction): void => {
      list.push(instructions.push(instruction) - 1)
    }
    switch (dice.pick(kinds)) {
      case 'unary':
        add(values, { op: dice.pick(['neg', 'abs', 'sqrt', 'exp', 'log'] as const), a })
        break
      case 'binary':
        add(values, { op: dice.pick(['add', 'sub', 'mul', 'div', 'minimum', 'maximum'] as const), a, b })
        break
      case 'compare':
        add(masks, { op: dice.pick(['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const), a, b })
        break
      case 'scalar':
        add(values, { op: 'scalar', slot: scalar() })
        break
      case 'vector':
        if (dice.chance(0.4))
          add(values, { op: 'vector', slot: vectors.push(dice.pick(['row', 'column'] as const)) - 1 })
        break
      case 'uniform':
        add(values, { op: 'uniform', high: scalar(), low: scalar() })
        break
      case 'rank':
        if (dice.chance(0.3)) add(values, { op: 'rank', a })
        break
      case 'before':
        add(masks, { op: 'before', slot: scalar() })
        break
      case 'logic':
        if (masks.length > 0)
          add(
            masks,
            dice.chance(0.3)
              ? { op: 'not', a: dice.pick(masks) }
              : { op: dice.pick(['and', 'or'] as const), a: dice.pick(masks), b: dice.pick(masks) },
          )
        break
      case 'select':
        if (masks.length > 0) add(values, { op: 'select', mask: dice.pick(masks), a, b })
        break
    }
  }
  const outputs = Array.from({ length: 1 + dice.below(4) }, (): ProgramOutput => {
    switch (dice.below(masks.length > 0 ? 6 : 5)) {
      case 0:
      case 1:
        return { kind: 'store', value: dice.pick(values), dtype: dice.pick(dtypes) }
      case 2:
      case 3:
        return {
          kind: 'reduce',
          reduce: dice.pick(['sum', 'min', 'max'] as const),
          per: dice.pick(['tensor', 'row', 'column'] as const),
          value: dice.pick([...values, ...masks]),
        }
      case 4:
        return {
          kind: 'histogram',
          value: dice.pick(values),
          bins: dice.pick([1, 2, 3, 4, 7, 64, 513, 2048]),
          lo: scalar(),
          shift: scalar(),
        }
      default:
        return { kind: 'locate', mask: dice.pick(masks), nth: scalar() }
    }
  })
  return { inputs, scalarCount: scalars.length, vectors, instructions, outputs }
}

/** A call that the program accepts, of up to some hundred elements. */
export function randomCall(dice: Dice, program: Program): KernelCall {
  const rank = program.instructions.some(({ op }) => op === 'rank')
  const rows = rank || program.outputs.some((output) => output.kind === 'reduce' && output.per === 'row')
  const columns = dice.pick([1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 64, 100, 257])
  const wild = dice.chance(0.3)
  let start = dice.below(3 * columns)
  let elementCount = dice.below(300)
  if (rank || (rows && dice.chance(0.5))) {
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
    if (output.kind === 'histogram') {
      let shift = dice.below(24)
      while (output.bins * 2 ** shift > 0x7f800001) shift--
      const room = 0x7f800001 - output.bins * 2 ** shift
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

const special = [
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
  if (wild && dice.chance(0.4)) return dice.pick(special)
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
