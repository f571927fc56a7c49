import { type Expression, randomKey, type Session, uniform } from '@mk/tensor'
import type { MethodContext } from './declare/define-method.ts'

/** The facts that a session doesn't have. */
export interface MethodContextOptions {
  readonly tensorName: string
  /** Whole, 0 … 2^53 − 1. */
  readonly seed: number
  readonly warn: (message: string) => void
  /** Of the tensor's layer in the output, if it is in one and the method asks for it. */
  readonly layerDepth?: number | undefined
  /** What the user calls the models. */
  readonly names?: { readonly base?: string | undefined; readonly models: readonly string[] }
}

/** Makes what a method is called with from the session of a tensor: adds its name, random numbers and a place for warnings. */
export function createMethodContext(
  session: Session,
  { tensorName, seed, warn, layerDepth, names }: MethodContextOptions,
): MethodContext {
  const uniforms = new Map<number, Expression>()
  return {
    shape: session.shape,
    elementCount: session.elementCount,
    reduce: (reductions) => session.reduce(reductions),
    largest: (requests) => session.largest(requests),
    kthLargest: (value, ranks) => session.kthLargest(value, ranks),
    tensorName,
    layerDepth,
    nameOf: (model) =>
      model === 'base' ? (names?.base ?? 'the base') : (names?.models[model] ?? `model ${model + 1}`),
    warn,
    uniform(modelIndex) {
      // one object for each model, so that its numbers are drawn once however often a method names them
      const known = uniforms.get(modelIndex) ?? uniform(randomKey(seed, tensorName, modelIndex))
      uniforms.set(modelIndex, known)
      return known
    },
  }
}
