import { readFileSync } from 'node:fs'

/** Whole models of a few tensors, and what the papers' formulas give of them; made by make-elementwise.py. Tensor by tensor. */
interface Elementwise {
  readonly shape: readonly number[]
  /** Null for the tensor that is in no layer. */
  readonly depths: readonly (number | null)[]
  readonly base: readonly (readonly number[])[]
  readonly models: readonly (readonly (readonly number[])[])[]
  readonly importances: readonly (readonly (readonly number[])[])[]
  readonly metagptWeights: readonly number[]
  readonly inverseNormWeights: readonly number[]
  readonly [merge: string]: unknown
}

export const elementwise = JSON.parse(readFileSync(new URL('elementwise.json', import.meta.url), 'utf8')) as Elementwise

/** The tensors of the models, and what a merge makes of them. */
export const cases = (merge: string) =>
  elementwise.base.map((base, tensor) => ({
    base: Float32Array.from(base),
    models: elementwise.models.map((model) => Float32Array.from(model[tensor]!)),
    importance: elementwise.importances.map((each) => Float32Array.from(each[tensor]!)),
    layerDepth: elementwise.depths[tensor] ?? undefined,
    expected: (elementwise[merge] as readonly (readonly number[])[])[tensor]!,
  }))
