import { kindOf, type Program } from '@mk/tensor/runtime'

const HEADER_BYTES = 48

/**
 * Where a call's arguments are, as byte offsets into its frame, whose address is the kernel's only parameter. Every
 * instruction and every output has 16 bytes there:
 *
 * | what | words |
 * |---|---|
 * | input | address of its first element |
 * | scalar | float32 |
 * | vector | address of the first row's value, or of column 0 |
 * | before | index in the call before which it is true |
 * | uniform | low index word + low key word, mixed high word, its change past 2^32, index in the call of the last element before that |
 * | rank | address of a row of integers |
 * | lt that keeps by rank | address of a row of 16-bit masks, and the state of `keepFunction`: first bin, bins, whether to run again |
 * | store, reduce | address of the first result |
 * | histogram | address of the counts, lo, shift, greatest b − lo inside the bins |
 * | locate | address of the result, n |
 */
export const argument = {
  elementCount: 0,
  columns: 4,
  firstColumn: 8,
  /** Elements of the first row that the call touches. */
  firstLength: 12,
  /** 64 bytes and more for what a vector operation would write past the end. */
  spill: 16,
  /** For `rank`: the operand's sort keys, and two rows of (key, index). */
  sortKeys: 20,
  sortPairs: 24,
  sortOtherPairs: 28,
  /** For what is kept by rank: rows of what was drawn, of bins, and of the indices that are undecided. */
  drawnWords: 32,
  bins: 36,
  undecided: 40,
  instruction: (index: number): number => HEADER_BYTES + 16 * index,
  output: (program: Program, index: number): number => HEADER_BYTES + 16 * (program.instructions.length + index),
  frameBytes: (program: Program): number => HEADER_BYTES + 16 * (program.instructions.length + program.outputs.length),
}

/** The places of functions among those of a module with ranks. */
export const RANK_FUNCTION = 0
export const KEEP_FUNCTION = 1

/** What is there for passing use, and after it the values that sums take from memory (`SumBuffer`). */
const PASSING_BYTES = 256
export const spillBytes = (program: Program): number =>
  PASSING_BYTES + 4 * BUFFERED_ELEMENTS * bufferedSums(program).length

/** Elements of a block whose values are in memory before they are added up: all sums of a kernel stay in the first-level cache. */
export const BUFFERED_ELEMENTS = 512

/**
 * Lists the outputs that are sums of values over the tensor or its rows, where there are several: they go to memory and are added up from there,
 * since to widen them takes half as many instructions on the way from memory. One alone would wait for its own additions.
 */
export function bufferedSums({ instructions, outputs }: Program): readonly number[] {
  const sums = outputs.flatMap((output, index) => {
    const isSum = output.kind === 'reduce' && output.reduce === 'sum' && output.per !== 'column'
    return isSum && kindOf(instructions[output.value]!) === 'value' ? [index] : []
  })
  return sums.length > 1 ? sums : []
}

/** Tells where the values of the n-th of them are, from the start of the spill on. */
export const sumBufferAt = (n: number): number => PASSING_BYTES + 4 * BUFFERED_ELEMENTS * n

/**
 * Tells how many counters a bin has: neighbors count in different ones, since one that was just written is slow to read. Not so where there
 * are many bins, which are then rarely the same and costly to add up.
 */
export const histogramCopies = (bins: number): number => (bins > 4096 ? 1 : 4)

/** Tells the bytes from one copy of the bins to the next; the bin past the last takes what is outside. */
export const histogramStride = (bins: number): number => 16 * Math.ceil((bins + 2) / 4)

/** Tells where, from the bins on, patterns wait to be counted. */
export const histogramQueue = (bins: number): number => histogramCopies(bins) * histogramStride(bins)
/** So many patterns are too many to wait. */
export const QUEUE_LIMIT = 1024
export const histogramBytes = (bins: number): number => histogramQueue(bins) + 4 * QUEUE_LIMIT + 128

/** Places at the start of every memory. */
export const COMPRESS_TABLE = 64
/** The table in which `rank` counts keys by bin, or tables for digits: three of 11 bits, or four of 8. */
export const COMPRESS_HALVES_TABLE = COMPRESS_TABLE + 256
export const SORT_COUNTS = COMPRESS_HALVES_TABLE + 4096
export const MOST_BIN_BITS = 14
export const FIRST_FREE = SORT_COUNTS + 4 * 2 ** MOST_BIN_BITS + 64

/** Makes what the runtime puts at COMPRESS_TABLE: for each set of four lanes the byte indices that move those lanes to the front. */
export const compressTable = (): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, i) => {
    const lanes = [0, 1, 2, 3].filter((lane) => (i >> 4) & (1 << lane))
    const lane = lanes[(i & 15) >> 2]
    return lane === undefined ? 255 : 4 * lane + (i & 3)
  })

/** The same for sets of eight lanes of 16 bits, at COMPRESS_HALVES_TABLE. */
export const compressHalvesTable = (): Uint8Array =>
  Uint8Array.from({ length: 4096 }, (_, i) => {
    const lanes = [0, 1, 2, 3, 4, 5, 6, 7].filter((lane) => (i >> 4) & (1 << lane))
    const lane = lanes[(i & 15) >> 1]
    return lane === undefined ? 255 : 2 * lane + (i & 1)
  })

/** Rows that ranks are made of may be written, and read, that many elements past their end. */
export const ROW_PADDING = 24

/** Vector operations may reach that far past the last column. */
export const COLUMN_PADDING = 16
