import type { DecodedGgmlType } from '@mk/gguf'
import type { Dtype } from '@mk/safetensors'

/**
 * Where the elements of a tensor come from, as plain JSON: a plan carries it, a worker opens it. `dtype` and `shape` are
 * those of the elements it delivers, row-major and little-endian (docs/decisions/sources-are-a-package.md).
 */
export type TensorSource =
  | FileSource
  | StridedSource
  | CropSource
  | GatherSource
  | LoraSource
  | BlocksSource
  | HalvesSource
  | PackedSource
  | DequantizedSource
  | MergedSource
  | ValuesSource

interface Delivered {
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** Contiguous bytes of a file: safetensors, and most tensors of a .bin. */
export interface FileSource extends Delivered {
  readonly kind: 'file'
  readonly file: string
  readonly byteStart: number
}

/** A view into a torch storage: strides and offset in elements, relative to `byteStart` of the storage. */
export interface StridedSource extends Delivered {
  readonly kind: 'strided'
  readonly file: string
  readonly byteStart: number
  readonly elementOffset: number
  readonly strides: readonly number[]
}

/** The leading sub-matrix of a larger source. */
export interface CropSource extends Delivered {
  readonly kind: 'crop'
  readonly source: TensorSource
}

/**
 * Rows put together from the rows of other sources: the embedding of an output vocabulary. Delivered in `dtype`, where
 * `copy` from a source of the same dtype keeps the bytes; means are taken in float64 and rounded once.
 */
export interface GatherSource extends Delivered {
  readonly kind: 'gather'
  readonly sources: readonly TensorSource[]
  /** In order; their row counts add up to shape[0]. */
  readonly segments: readonly GatherSegment[]
}

/** Rows of a gathered matrix, and what they are taken or made from. */
export type GatherSegment =
  /** `rowCount` consecutive rows of a source, from `row`. */
  | { readonly kind: 'copy'; readonly rowCount: number; readonly source: number; readonly row: number }
  /** The same row `rowCount` times: the mean of the listed rows. */
  | {
      readonly kind: 'mean'
      readonly rowCount: number
      readonly of: readonly { readonly source: number; readonly row: number }[]
    }
  /** The same row `rowCount` times: the mean of all rows of the other segments. */
  | { readonly kind: 'mean-of-others'; readonly rowCount: number }
  | { readonly kind: 'zero'; readonly rowCount: number }

/**
 * W + scale · B·A (LoRA, Hu et al. 2021) in float32: `a` [r, in], `b` [out, r]; `transposed` where W is stored [in, out]
 * (`fan_in_fan_out`).
 */
export interface LoraSource extends Delivered {
  readonly kind: 'lora'
  readonly source: TensorSource
  readonly a: TensorSource
  readonly b: TensorSource
  readonly scale: number
  readonly transposed: boolean
}

/** Elements of a GGUF file that are quantized block by block, in float32. Rows are whole blocks. */
export interface BlocksSource extends Delivered {
  readonly kind: 'blocks'
  readonly file: string
  readonly byteStart: number
  readonly type: DecodedGgmlType
}

/**
 * Rows [heads, n, 2] in the order [heads, 2, n]: those of q and k as transformers has them, from a GGUF of a family whose RoPE rotates
 * pairs.
 */
export interface HalvesSource extends Delivered {
  readonly kind: 'halves'
  readonly source: TensorSource
  readonly heads: number
}

/**
 * Codes of a few bits, packed into bytes or 32-bit words, as the numbers they stand for, in float32. The tensor is seen as a matrix of its
 * last dimension's columns.
 */
export interface PackedSource extends Delivered {
  readonly kind: 'packed'
  /**
   * U8, I32 or U32. Along columns: as many rows as the tensor has, each of the words that its codes take. Along rows: as many columns, and
   * the words that the codes of a column take.
   */
  readonly words: TensorSource
  /** Of a code: 1 to 8. */
  readonly bits: number
  /** Whether the codes of a word belong to consecutive columns or to consecutive rows. */
  readonly along: 'columns' | 'rows'
  /** Where each code of a word lies, in codes from the low end. Absent: they fill the words from the low end, and run on from one into the next. */
  readonly places?: readonly number[]
  readonly values: CodeValues
}

/** What codes stand for. */
export type CodeValues =
  /** The code itself plus `offset`. */
  | { readonly kind: 'integers'; readonly offset: number }
  /** A small float of that many bits for exponent and mantissa (OCP Microscaling Formats 1.0). */
  | { readonly kind: 'floats'; readonly format: SmallFloat }
  /** The element of a table with that index. */
  | { readonly kind: 'stored'; readonly table: TensorSource }

/** A float of 4 or 8 bits of the OCP Microscaling Formats: sign, bits of the exponent (e), bits of the mantissa (m). */
export type SmallFloat = 'e2m1' | 'e4m3' | 'e8m0'

/**
 * Codes times a scale, in float32: (code − zero) · scale · factor + bias, each step rounded. There is one scale, zero and bias for each
 * block of rows × columns of `source` seen as a matrix of its last dimension's columns (the last blocks may be partial); a block may
 * be all of it. Rounded to `dtype`, which openCheckpoint sets to F32.
 */
export interface DequantizedSource extends Delivered {
  readonly kind: 'dequantized'
  /** As many elements as are delivered, perhaps in another shape. */
  readonly source: TensorSource
  readonly scale: TensorSource | number
  readonly blockRows: number
  readonly blockColumns: number
  /** For each column the number of its block in a row, where blocks are not of adjacent columns; I32 [columns]. */
  readonly groups?: TensorSource
  readonly zero?: TensorSource
  /** The scale divides instead. */
  readonly divides?: true
  readonly factor?: number
  readonly bias?: TensorSource | number
}

/** A tensor of another merge, which no file has: computed range by range while it is read, by whatever the reader is given for that. */
export interface MergedSource extends Delivered {
  readonly kind: 'merged'
  /** Which merge. */
  readonly stage: string
  /** The tensor's name in it. */
  readonly tensor: string
  /** The dtype that it would have in a file. */
  readonly storedAs: Dtype
}

/** A few elements that no file has, given as they are: what was computed before the tensors are read, such as the rows of a router. */
export interface ValuesSource extends Delivered {
  readonly kind: 'values'
  /** The bytes of the elements. Absent where they are yet to be computed, so that nothing can read them. */
  readonly base64?: string
}
