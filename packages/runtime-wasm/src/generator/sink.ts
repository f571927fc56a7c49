import {
  type Code,
  get,
  i16x8,
  i32,
  i8x16,
  type Local,
  select,
  set,
  type Statement,
  type Vector,
} from '@mk/wasm-encoder'

/** An address that moves on with the elements. */
export interface Stream {
  readonly pointer: Local<'i32'>
  readonly elementBytes: number
  /** The address of column 0, where it starts again at each row. */
  readonly rowStart?: Local<'i32'>
}

/** A block of consecutive elements, `groups` times four. */
export interface Block {
  readonly groups: number
  /** Absent in a full block; else which lanes of a group belong to the row, and how many there are. */
  readonly inside?: (group: number) => Vector
  readonly count?: Local<'i32'>
}

/** Values in memory that are added up after a block of them. */
export interface SumBuffer {
  /** Adds up those of a group; `at` is the address of its first, less the place of the buffer. */
  add(at: Code<'i32'>, group: number): readonly Statement[]
}

/** What becomes of a value: code for each place of the kernel. */
export interface Sink {
  /** Position of the instruction whose value it takes. */
  readonly uses: number
  /** Positions of others that it takes. */
  readonly usesToo?: readonly number[]
  readonly streams: readonly Stream[]
  readonly atStart: readonly Statement[]
  readonly atRow: readonly Statement[]
  each(block: Block): readonly Statement[]
  /** Where full blocks leave their values for `add`, after BUFFERED_ELEMENTS or fewer. */
  readonly buffer?: SumBuffer | undefined
  /** After each QUICK_VALUES groups of the call, where rows don't matter. */
  readonly atQuickEnd: readonly Statement[]
  readonly atRowEnd: readonly Statement[]
  readonly atEnd: readonly Statement[]
}

export const emptySink: Omit<Sink, 'uses' | 'each'> = {
  streams: [],
  atStart: [],
  atRow: [],
  atQuickEnd: [],
  atRowEnd: [],
  atEnd: [],
}

/** Numbers the groups of a block. */
export const groupsOf = (block: Block): readonly number[] => Array.from({ length: block.groups }, (_, group) => group)

/** Makes one bit per element of the block from masks per group. */
export function bitmask(masks: readonly Vector[]): Code<'i32'> {
  const halves: Vector[] = []
  for (let i = 0; i < masks.length; i += 2) halves.push(i16x8.narrow_i32x4_s(masks[i]!, masks[i + 1]!))
  const [first, second] = halves as [Vector, Vector | undefined]
  return second === undefined ? i16x8.bitmask(first) : i8x16.bitmask(i8x16.narrow_i16x8_s(first, second))
}

/** Adds to a local. */
export const increase = (local: Local<'i32'>, by: Code<'i32'>): Statement => set(local, i32.add(get(local), by))

/** Takes the smaller of two unsigned integers. */
export const smaller = (a: Code<'i32'>, b: Code<'i32'>): Code<'i32'> => select(a, b, i32.lt_u(a, b))

/** Takes the larger of two unsigned integers. */
export const larger = (a: Code<'i32'>, b: Code<'i32'>): Code<'i32'> => select(a, b, i32.lt_u(b, a))
