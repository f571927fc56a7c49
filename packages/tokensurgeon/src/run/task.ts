import type { TensorSource } from '@mk/source'
import type { Rotation } from '../approximate/rotary-pursuit.ts'
import type { LinearMap } from '../approximate/linear-map.ts'
import type { SurgeonSettings } from '../settings.ts'

/** A file of rows of float32, one after the other. */
export interface RowFile {
  readonly path: string
  readonly rows: number
  readonly width: number
}

/** Rows of tokens that both models have, in files. */
export interface SharedFiles {
  readonly donor: RowFile
  readonly model: RowFile
}

/** What rows are made by, once it is known. Arrays are in memory that threads share. */
export type Recipe =
  | { readonly kind: 'zero' }
  | { readonly kind: 'constant'; readonly row: Float64Array }
  /** Independent normally distributed numbers, through a map where there is one. */
  | { readonly kind: 'normal'; readonly map?: LinearMap }
  /** From the rows of pieces of MODEL: those of token i are ids[starts[i]] to ids[starts[i + 1]]. */
  | { readonly kind: 'pieces'; readonly starts: Int32Array; readonly ids: Int32Array }
  | { readonly kind: 'map'; readonly map: LinearMap }
  | { readonly kind: 'pursuit'; readonly shared: SharedFiles; readonly gram?: RowFile }
  | { readonly kind: 'nearest'; readonly shared: SharedFiles; readonly squaredNorms: Float64Array }
  | {
      readonly kind: 'rotary'
      readonly shared: SharedFiles
      readonly donorRotation: Rotation
      readonly modelRotation: Rotation
    }

/** One matrix over the vocabulary, and the rows that it is to get. */
export interface MatrixWork {
  /** Of the tensor: what is drawn follows from it. */
  readonly name: string
  readonly isHead: boolean
  readonly donor: TensorSource
  readonly model: TensorSource
  /** Rows of DONOR's matrix whose tokens are new, −1 where it has none. */
  readonly targets: Int32Array
  readonly settings: SurgeonSettings
  readonly seed: number
}

/** Work that a thread does by itself. */
export type SurgeonTask =
  /** Copies rows of a source to a file, from a place on. → their squared norms, NaN or infinite where they are not finite */
  | {
      readonly kind: 'gather'
      readonly source: TensorSource
      readonly ids: Int32Array
      readonly first: number
      readonly into: RowFile
    }
  /** Multiplies some rows of a file with all from them on, and writes the products and their mirror images. */
  | {
      readonly kind: 'gram'
      readonly rows: RowFile
      readonly first: number
      readonly count: number
      readonly into: RowFile
    }
  /** Finds what rows are made by, where that takes going through matrices. */
  | {
      readonly kind: 'prepare'
      readonly method: 'mean' | 'john_hewitt' | 'landmark_pca' | 'stb'
      readonly model: TensorSource
      readonly shared?: SharedFiles
      readonly k: number
    }
  /** Tells which rows of a matrix look untrained. */
  | {
      readonly kind: 'untrained'
      readonly source: TensorSource
      readonly unused: Int32Array
      /** Whether rows with the smallest norms are among them. */
      readonly byNorm: boolean
    }
  /** Makes rows `first` to `first + count` of the new ones, and writes them. */
  | {
      readonly kind: 'rows'
      readonly work: MatrixWork
      readonly recipe: Recipe
      readonly first: number
      readonly count: number
      readonly into: RowFile
    }

/** What a task gives. */
export interface TaskResults {
  readonly gather: Float64Array
  readonly gram: number
  /** Undefined where no row is finite. */
  readonly prepare: Recipe | undefined
  /** 1 for each row that does. */
  readonly untrained: Uint8Array
  /** Which of the rows could not be made, since what they are made of is not finite or not there; they are 0. */
  readonly rows: Int32Array
}

/** Does tasks, one at a time. */
export interface Surgeon {
  run<Kind extends SurgeonTask['kind']>(task: Extract<SurgeonTask, { kind: Kind }>): Promise<TaskResults[Kind]>
  close(): Promise<void>
}

/** Puts numbers where threads share them. */
export function sharedIntegers(values: readonly number[] | Int32Array): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4 * values.length))
  shared.set(values)
  return shared
}

/** Puts numbers where threads share them. */
export function sharedDoubles(values: ArrayLike<number>): Float64Array {
  const shared = new Float64Array(new SharedArrayBuffer(8 * values.length))
  shared.set(values)
  return shared
}

/** Puts numbers where threads share them. */
export function sharedFloats(values: Float32Array): Float32Array {
  const shared = new Float32Array(new SharedArrayBuffer(4 * values.length))
  shared.set(values)
  return shared
}
