import { type Expression, randomKey, type Session, uniform } from '@mk/tensor'
import type { MethodContext } from './declare/define-method.ts'

export interface MethodContextOptions {
  readonly tensorName: string
  /** Whole, 0 … 2^53 − 1. */
  readonly seed: number
  readonly warn: (message: string) => void
}

/** What a method is called with: the session of a tensor, plus its name, its random numbers and a place for warnings. */
export function createMethodContext(session: Session, { tensorName, seed, warn }: MethodContextOptions): MethodContext {
  const uniforms = new Map<number, Expression>()
  return {
    shape: session.shape,
    elementCount: session.elementCount,
    reduce: (reductions) => session.reduce(reductions),
    largest: (requests) => session.largest(requests),
    kthLargest: (value, ranks) => session.kthLargest(value, ranks),
    tensorName,
    warn,
    uniform(modelIndex) {
      // one object for each model, so that its numbers are drawn once however often a method names them
      const known = uniforms.get(modelIndex) ?? uniform(randomKey(seed, tensorName, modelIndex))
      uniforms.set(modelIndex, known)
      return known
    },
  }
}
