import { elementCount as countElements } from '@mk/safetensors'
import { products } from '../blocks/products.ts'
import { kthLargest, largest } from './select/largest.ts'
import { largestShare } from './select/largest-share.ts'
import { reduce } from './reduce.ts'
import type { Session } from './session.ts'
import type { StreamedTensor } from './stage.ts'

/**
 * Creates what a merge method asks of a tensor, on kernels: it turns each request into stages, has them run, and puts the results
 * of the ranges together, in their order where it matters. It keeps no elements.
 */
export function createSession(options: Omit<StreamedTensor, 'elementCount'>): Session {
  const elementCount = countElements(options.shape)
  const tensor: StreamedTensor = { ...options, elementCount }
  return {
    shape: options.shape,
    elementCount,
    reduce: (reductions, reduceOptions) => reduce(tensor, reductions, reduceOptions),
    largest: (requests) => largest(tensor, requests),
    largestShare: (request, summed) => largestShare(tensor, request, summed),
    kthLargest: (value, ranks) => kthLargest(tensor, value, ranks),
    products: (requests) => products(tensor, requests),
  }
}
