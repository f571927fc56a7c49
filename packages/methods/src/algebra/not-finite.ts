import type { MethodContext } from '../declare/define-method.ts'
import { MethodError } from '../errors.ts'

/** What a vector is made of: a model, the base, or a model's difference from the base. */
export type VectorOf = { readonly model: number | 'base'; readonly lessBase?: boolean }

/** Makes the error for a vector whose length is no finite number. */
export function notFinite({ tensorName, nameOf }: MethodContext, { model, lessBase = false }: VectorOf): MethodError {
  const name = lessBase ? `${nameOf(model)} or ${nameOf('base')}` : nameOf(model)
  return new MethodError({ code: 'not-finite', tensor: tensorName, model, name })
}
