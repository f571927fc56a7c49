import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { LinalgJob } from '@mk/linalg'
import type { Product } from '@mk/lora/portable'
import type { BlockPlan, CrossStep, ElementRange, KernelResult, Program } from '@mk/tensor/runtime'
import type { PlannedProduct, PlannedTensor, StoredRows } from '../plan/merge-plan.ts'
import type { NonFiniteCounts } from './non-finite.ts'
import type { BlockValues, OperatorPlan } from './plan-operator.ts'

/** For chunks that stay with the workers between the passes over a tensor, of all workers together. */
export const defaultCacheBytes = 8 * 2 ** 20

/** For what masks are, kept until the last pass over a tensor: in relation to what is there for chunks. */
export const rememberedShare = 4

/** The same for one worker, at most as much as where there is but one: a larger cache leaves memory to calls. */
export const rememberedBytes = (cacheBytes: number): number => rememberedShare * Math.min(cacheBytes, defaultCacheBytes)

/** For differences that are kept while they are decomposed, of all workers together. */
export const differenceCacheBytes = 160 * 2 ** 20

/** A runtime as data, so that it crosses to a worker, which imports it there. */
export interface RuntimeSpecifier {
  readonly name: string
  /** URL of a module; absent: WebAssembly, which comes with this package. */
  readonly module?: string
  /** The export to call: `(options) => Runtime | Promise<Runtime>`. */
  readonly factory: string
  readonly options?: Readonly<Record<string, unknown>>
}

/** What computes where nothing else is asked for. */
export const wasmRuntime: RuntimeSpecifier = { name: 'wasm', factory: 'createWasmRuntime' }

/** The part that all tasks of one pass over a tensor share. */
export interface TensorPass {
  /** Identifies the tensor among those in flight, for what a worker keeps between passes. */
  readonly tensor: number
  /** By input slot; the same array in all passes over a tensor. */
  readonly sources: readonly TensorSource[]
  /** Where the part of the tensor begins that ranges count from, one matrix of several; absent: at its first element. */
  readonly elementOffset?: number
  /** What computes the tensors of other merges that sources read, each after those that it reads; the same array in all passes. */
  readonly merged?: readonly MergedWork[]
  readonly work: PassWork
  readonly output: PassOutput | undefined
  /** Whether more passes over this tensor follow, so that its chunks are worth keeping. */
  readonly keep: boolean
  /** What the program stores is kept until the last pass, where there is room. */
  readonly remembers?: true
  /** The same work where what an earlier pass stored of a chunk is kept, which is one more input. */
  readonly recall?: KernelWork
}

/** How the elements of another merge's tensor are computed, wherever a source asks for them. */
export interface MergedWork {
  /** By which sources name it. */
  readonly stage: string
  readonly tensor: string
  /** What it delivers. */
  readonly dtype: Dtype
  readonly elementCount: number
  /** By input slot. */
  readonly sources: readonly TensorSource[]
  /** The bytes of one of them as they are, or a program that stores. */
  readonly work: { readonly kind: 'copy'; readonly input: number } | KernelWork
  /** Whether it can be computed by whole rows only. */
  readonly wholeRows: boolean
  /** Whether several read it, or the same tensor twice, so that what was computed last is worth keeping. */
  readonly isShared: boolean
}

export type PassWork =
  /** The bytes of one input go to the output as they are; `finite` counts the elements that are finite, where they are floats. */
  | { readonly kind: 'copy'; readonly input: number; readonly finite: KernelWork | undefined }
  /** Where there is an output, the program stores to it, and then counts the elements that are finite throughout. */
  | KernelWork
  | FactorWork
  /** The same of what is made of products with matrices: the ranges are blocks, and the last step has the outputs. */
  | { readonly kind: 'blocks'; readonly plan: BlockPlan }
  /** The elements of one input in the only range, wherever the part of the tensor begins, as float64. */
  | { readonly kind: 'read'; readonly input: number }
  /** Cross products over all blocks, which are one task. */
  | { readonly kind: 'cross'; readonly plan: BlockPlan; readonly requests: readonly CrossStep[] }

/** Work on the factors of a module, which has all of them at hand at once; it has one range. */
export interface FactorWork {
  readonly kind: 'factors'
  /** For errors. */
  readonly tensor: string
  /** With it the pass has an output, which is that of A. */
  readonly store?: { readonly rank: number; readonly other: PassOutput }
  readonly task: FactorTask
}

/** What gives the factors. */
export type FactorTask =
  /** Gives the squared norm of each model's sum of products; stores nothing. */
  | { readonly kind: 'squares'; readonly products: readonly PlannedProduct[]; readonly modelCount: number }
  /** The sum of products, of which sources 2·i and 2·i + 1 are A and B. */
  | { readonly kind: 'products'; readonly scales: readonly number[] }
  /** Source 0 less source 1, or source 0 itself. */
  | {
      readonly kind: 'difference'
      readonly transposed: boolean
      readonly seed: number
      /** For a difference that is kept between passes. */
      readonly cacheBytes: number
    }
  /** What streams, as an operator, and the elements whose squares are its norm. */
  | {
      readonly kind: 'streamed'
      readonly operator: OperatorPlan
      readonly elements: BlockValues
      readonly transposed: boolean
      readonly seed: number
    }
  | { readonly kind: 'given'; readonly product: Product }
  /** Gives the basis that the products of all models share, and then the part of each model; stores nothing. */
  | { readonly kind: 'align'; readonly products: readonly PlannedProduct[]; readonly modelCount: number }
  /** Gives A and B of each product with the root of its scale in both; stores nothing. */
  | { readonly kind: 'balance'; readonly scales: readonly number[] }

export interface KernelWork {
  readonly kind: 'kernel'
  readonly program: Program
  readonly programKey: string
  readonly scalars: readonly number[]
  readonly vectors: readonly Float32Array[]
  readonly columns: number
}

/** Some ranges of a pass: read the inputs, run the kernel, write what it stores. */
export interface PassTask {
  readonly pass: TensorPass
  readonly ranges: readonly ElementRange[]
  /** The group of each range: results of consecutive ranges of one group may be added up. */
  readonly groups: readonly number[]
  /** All ranges are one call, one after the other as a matrix, whose results are those of the first (`Stage`). */
  readonly gathered?: true
  /** The tensor, or this part of it, has no other task. */
  readonly isOnly?: true
}

/** Where a batch reads, or writes: one file for all of its tensors. */
export interface BatchFile {
  readonly file: string
  readonly dtype: Dtype
}

/** Tensors that the same program makes of tensors of the same files, in which nothing depends on an element's place. */
export interface BatchPart {
  /** Of each tensor. */
  readonly elementCount: number
  /** By input slot. */
  readonly sources: readonly BatchFile[]
  readonly output: BatchFile & Pick<PassOutput, 'isThere'>
  readonly work: Extract<PassWork, { readonly kind: 'copy' | 'kernel' }>
  /**
   * Runs of tensors that lie one after the other in every file, as numbers: for each how many, where the first begins in the output, and
   * where in each source.
   */
  readonly runs: readonly number[]
  /** Start and end of each range of a tensor, where tensors are not as small that a run is computed at once. */
  readonly ranges?: readonly number[]
}

/** All that there is to do for some tensors, one part after the other. */
export interface BatchTask {
  /** The index of the first in the plan. */
  readonly tensor: number
  readonly parts: readonly BatchPart[]
}

/** Tensors that differ in nothing but their names and their places, of the same files and merged alike by a method of this package's. */
export interface AlikeTensors {
  readonly method: string
  /** The first of them. */
  readonly like: PlannedTensor
  /** Where they are written. */
  readonly file: string
  readonly names: readonly string[]
  /** For each where it begins in the output, and then in each source; nobody looks at those of one that is alone. */
  readonly byteStarts: readonly number[]
}

/** Tensors to be carried out from the first pass to the last, one after the other. */
export interface WholeTask {
  /** The index of the first in the plan. */
  readonly tensor: number
  /** As the plan has it. */
  readonly seed: number
  /** What the user calls the inputs of the plan. */
  readonly labels: readonly string[]
  readonly whole: readonly AlikeTensors[]
}

/** A task as a pool takes it. */
export type Task = PassTask | MatrixTask | BatchTask | WholeTask

/** Something to be computed of matrices in memory, for a tensor; its result is one list of arrays. */
export interface MatrixTask {
  readonly tensor: number
  readonly job: LinalgJob
}

export interface PassOutput {
  readonly file: string
  readonly dtype: Dtype
  /** Of the tensor's first element. */
  readonly byteStart: number
  /** How it lies there where not element by element. */
  readonly rows?: StoredRows
  /** What a copy would write is there already. */
  readonly isThere?: true
}

/** What a worker gives back of a task. */
export interface TaskResult {
  /** One for each run of ranges of one group, under the position in `ranges` of its first. */
  readonly results: readonly { readonly range: number; readonly result: KernelResult }[]
  /** What is infinite or NaN in the ranges of a pass that writes; absent where nothing is. */
  readonly nonFinite?: NonFiniteCounts | undefined
  /** The same of a batch, for each tensor of it that has such elements, by its place in all parts together; absent where none has. */
  readonly nonFiniteAt?: readonly (readonly [place: number, counts: NonFiniteCounts])[]
  /** What methods have to say of whole tensors, by their places; absent where there is nothing. */
  readonly warnings?: readonly (readonly [place: number, message: string])[]
}

/** Carries out tasks, one at a time. */
export interface TaskExecutor {
  run(task: Task): Promise<TaskResult>
  /** Forgets what is kept of a tensor. */
  forget(tensor: number): void
  /** Starts no kernel any more, so that the task in progress fails once the call in progress has ended. */
  stop?(): void
  close(): Promise<void>
}
