import type { Program } from '@mk/tensor/runtime'
import {
  type Code,
  f32,
  type FunctionScope,
  get,
  i32,
  i32x4,
  type Local,
  set,
  type Statement,
  type Vector,
} from '@mk/wasm-encoder'
import { type Analysis, analyzeProgram } from './analyze-program.ts'
import type { CallFacts } from './call-facts.ts'
import type { Keep } from './minifloat.ts'

/** A kernel while it is being put together: its locals, and where each value is. */
export interface Emission {
  readonly program: Program
  readonly analysis: Analysis
  /** What is known of the calls that it is for. */
  readonly facts: CallFacts
  readonly scope: FunctionScope
  /** Address of the call's frame. */
  readonly frame: Local<'i32'>
  /** Index in the call of the first element of the block being computed. */
  readonly index: Local<'i32'>
  /** Index in the call of each of its first four elements. */
  readonly lanes: Local<'v128'>
  readonly elementCount: Local<'i32'>
  /** Index in the call past the row, or past the last element where rows don't matter; and how long the row is. */
  readonly rowEnd: Local<'i32'>
  readonly rowLength: Local<'i32'>
  /** Address of `spillBytes` for passing use. */
  readonly spill: Local<'i32'>
  /** How far into their buffers the values of sums have come that are added up from memory, in bytes from `spill` on. */
  readonly summed: Local<'i32'>
  /** The value of an instruction for a group of four elements of the block. */
  value(instruction: number, group: number): Vector
  /** The local that holds it. */
  place(instruction: number, group: number): Local<'v128'>
  /** The local that holds what was drawn for it (`uniformWords`), if it is `uniform`. */
  drawnWord(instruction: number, group: number): Local<'v128'>
  /** Code whose intermediate values are kept in locals that the next call uses again. */
  withTemporaries(emit: (keep: Keep) => readonly Statement[]): readonly Statement[]
}

/** Begins a kernel. */
export function createEmission(
  program: Program,
  facts: CallFacts,
  { scope, frame }: Pick<Emission, 'scope' | 'frame'>,
): Emission {
  const analysis = analyzeProgram(program, facts)
  const places: Local<'v128'>[][] = program.instructions.map(() => [])
  const drawn: Local<'v128'>[][] = program.instructions.map(() => [])
  const temporaries: Local<'v128'>[] = []
  const place = (instruction: number, group: number): Local<'v128'> => {
    const groups = places[instruction]!
    const at = analysis.levels[instruction] === 'element' ? group : 0
    return (groups[at] ??= scope.local('v128'))
  }
  return {
    program,
    analysis,
    facts,
    scope,
    frame,
    place,
    index: scope.local('i32'),
    elementCount: scope.local('i32'),
    rowEnd: scope.local('i32'),
    rowLength: scope.local('i32'),
    spill: scope.local('i32'),
    summed: scope.local('i32'),
    lanes: scope.local('v128'),
    drawnWord: (instruction, group) => (drawn[instruction]![group] ??= scope.local('v128')),
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

/** Reads a float of the frame. */
export const floatArgument = ({ frame }: Emission, offset: number): Code<'f32'> => f32.load(get(frame), offset)
/** Reads an integer of the frame. */
export const wordArgument = ({ frame }: Emission, offset: number): Code<'i32'> => i32.load(get(frame), offset)

/** Tells each element of a group its index in the call. */
export const groupLanes = ({ lanes }: Emission, group: number): Vector =>
  group === 0 ? get(lanes) : i32x4.add(get(lanes), i32x4.const(4 * group))

/** Sets `lanes` to where the block is. */
export const setLanes = ({ lanes, index }: Emission): Statement =>
  set(lanes, i32x4.add(i32x4.splat(get(index)), i32x4.const(0, 1, 2, 3)))
