import type { Product, ProductKernel } from '../product/product.ts'
import type { Program } from '../program/program.ts'

/** Something that turns programs into kernels: plain TypeScript, WebAssembly, ONNX, a GPU. */
export interface Runtime {
  readonly name: string
  /**
   * How many elements a call had better cover, where calls are costly. Whoever runs a stage may then join its adjacent ranges
   * (`joinRanges`), if it only stores or its results are counts.
   */
  readonly preferredElements?: number
  /** Whether kernels give results at once and never promises, so that what reads elements can compute them on the way. */
  readonly isSynchronous?: boolean
  /**
   * A buffer that kernels of this runtime read and write without a copy. It lives until `close`; the caller owns its contents
   * and reuses it. Kernels accept any other buffer too, at the price of a copy.
   */
  allocate(byteLength: number): Uint8Array
  /** Compile once, run for any length. @throws TensorError 'unsupported-program' when it lacks an operation or dtype, naming it. */
  compile(program: Program): Promise<Kernel>
  /** Prepares a matrix product, for any sizes. @throws TensorError 'unsupported-program' when it has no products of such matrices */
  compileProduct(product: Product): Promise<ProductKernel>
  close(): Promise<void>
}

/** A program that a runtime has compiled. */
export interface Kernel {
  /** Runs over consecutive elements of a tensor. Nothing of the call is retained or, but for `outputs`, mutated. */
  run(call: KernelCall): KernelResult | Promise<KernelResult>
}

/** The elements that a kernel runs over, and where its results go. */
export interface KernelCall {
  /** How many elements, and the flat index of the first one in the tensor. */
  readonly elementCount: number
  readonly offset: number
  /**
   * The tensor as a matrix: element i is in row ⌊i / columns⌋. A call with row results or `rank` starts and ends at row
   * boundaries, except that without `rank` it may also cover a part of one single row.
   */
  readonly columns: number
  /** Stored little-endian bytes by input slot, `elementCount` elements each, at any alignment; ignored where no instruction reads the slot. */
  readonly inputs: readonly Uint8Array[]
  readonly scalars: readonly number[]
  /** Whole vectors of the tensor by vector slot: one value per row of the tensor, or per column. */
  readonly vectors: readonly Float32Array[]
  /** Where the elements of each `store` output go, in the order of the program's outputs; not where inputs are, which may be read twice. */
  readonly outputs: readonly Uint8Array[]
}

/**
 * The results of the outputs that are not `store`, in order: for `reduce` a Float64Array of 1 value, one per row of the call,
 * or one per column; for `histogram` a Uint32Array of bins + 2; for `collect` one of a count for each window and what it lists; for `locate` a Float64Array of 1. They hold until the kernel's
 * next run, which may reuse the arrays.
 */
export type KernelResult = readonly (Float64Array | Uint32Array)[]
