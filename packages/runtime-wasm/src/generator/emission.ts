import type { Instruction, Program } from '@mk/tensor/runtime'
import { type Code, get, type Local, set, type Statement } from '../encoder/code.ts'
import type { FunctionScope } from '../encoder/module.ts'
import { f32x4, i32x4, v128, type Vector } from '../encoder/simd.ts'
import { type Analysis, analyse } from './analyze-program.ts'
import { expLanes, logLanes } from './elementary.ts'
import type { Keep } from './minifloat.ts'
import { f32, i32 } from '../encoder/scalar.ts'

/** A kernel while it is being put together: its locals, and where each value is. */
export interface Emission {
  readonly program: Program
  readonly analysis: Analysis
  readonly scope: FunctionScope
  /** Address of the argument block. */
  readonly block: Local<'i32'>
  /** Index in the call of the first element of the block being computed. */
  readonly index: Local<'i32'>
  /** Index in the call of each of its first four elements. */
  readonly lanes: Local<'v128'>
  readonly elementCount: Local<'i32'>
  /** Index in the call past the row, or past the last element where rows don't matter; and how long the row is. */
  readonly rowEnd: Local<'i32'>
  readonly rowLength: Local<'i32'>
  /** Address of SPILL_BYTES for passing use. */
  readonly spill: Local<'i32'>
  /** The value of an instruction for a group of four elements of the block. */
  value(instruction: number, group: number): Vector
  /** The local that holds it. */
  place(instruction: number, group: number): Local<'v128'>
  /** Code whose intermediate values are kept in locals that the next call uses again. */
  withTemporaries(emit: (keep: Keep) => readonly Statement[]): readonly Statement[]
}

export function createEmission(program: Program, scope: FunctionScope, block: Local<'i32'>): Emission {
  const analysis = analyse(program)
  const places: Local<'v128'>[][] = program.instructions.map(() => [])
  const temporaries: Local<'v128'>[] = []
  const place = (instruction: number, group: number): Local<'v128'> => {
    const groups = places[instruction]!
    const at = analysis.levels[instruction] === 'element' ? group : 0
    return (groups[at] ??= scope.local('v128'))
  }
  return {
    program,
    analysis,
    scope,
    block,
    place,
    index: scope.local('i32'),
    elementCount: scope.local('i32'),
    rowEnd: scope.local('i32'),
    rowLength: scope.local('i32'),
    spill: scope.local('i32'),
    lanes: scope.local('v128'),
    value: (instruction, group) => get(place(instruction, group)),
    withTemporaries(emit) {
      let used = 0
      const before: Statement[] = []
      const keep: Keep = (value) => {
        const local = (temporaries[used++] ??= scope.local('v128'))
        before.push(set(local, value))
        return get(local)
      }
      const after = emit(keep)
      return [...before, ...after]
    },
  }
}

/** A float or integer of the argument block. */
export const floatArgument = ({ block }: Emission, offset: number): Code<'f32'> => f32.load(get(block), offset)
export const wordArgument = ({ block }: Emission, offset: number): Code<'i32'> => i32.load(get(block), offset)

/** The value of an arithmetic instruction for one group of four elements, from those of its operands. */
export function operate(emission: Emission, instruction: Instruction, group: number, keep: Keep): Vector {
  const value = (operand: number): Vector => emission.value(operand, group)
  switch (instruction.op) {
    case 'sqrt':
      return f32x4.sqrt(value(instruction.a))
    // As bit operations these take one instruction, since their constants stay in a register.
    case 'abs':
      return v128.and(value(instruction.a), i32x4.const(0x7fffffff))
    case 'neg':
      return v128.xor(value(instruction.a), i32x4.const(0x80000000))
    case 'exp':
      return expLanes(value(instruction.a), keep)
    case 'log':
      return logLanes(value(instruction.a), keep)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
    case 'eq':
    case 'ne':
      return f32x4[instruction.op](value(instruction.a), value(instruction.b))
    case 'minimum':
      return f32x4.min(value(instruction.a), value(instruction.b))
    case 'maximum':
      return f32x4.max(value(instruction.a), value(instruction.b))
    case 'and':
    case 'or':
      return v128[instruction.op](value(instruction.a), value(instruction.b))
    case 'not':
      return v128.not(value(instruction.a))
    case 'select': {
      const { mask, a, b } = instruction
      const { levels } = emission.analysis
      // Their difference is computed before the loop, which leaves two instructions of three.
      const invariant = levels[a] !== 'element' && levels[b] !== 'element'
      if (invariant) return v128.xor(value(b), v128.and(value(mask), v128.xor(value(a), value(b))))
      return v128.select(value(mask), value(a), value(b))
    }
    default:
      throw new Error(`${instruction.op} is not computed from operands`)
  }
}

/** Index in the call of each element of a group. */
export const groupLanes = ({ lanes }: Emission, group: number): Vector =>
  group === 0 ? get(lanes) : i32x4.add(get(lanes), i32x4.const(4 * group))

/** Sets `lanes` to where the block is. */
export const setLanes = ({ lanes, index }: Emission): Statement =>
  set(lanes, i32x4.add(i32x4.splat(get(index)), i32x4.const(0, 1, 2, 3)))
