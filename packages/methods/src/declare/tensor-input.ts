import type { ArrayInput, StreamedInput } from '@mk/tensor'

/** The elements of a tensor in row-major order; for 16-bit floats and the like, their stored bytes with a dtype. */
export type ArrayTensor = Float32Array | Float64Array | ArrayInput

/** A tensor in memory, or one that is read part by part as often as a method goes through it. */
export type TensorInput = ArrayTensor | StreamedInput
