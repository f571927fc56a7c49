import { builtinMethods } from '../builtin-methods.ts'
import type { MethodDefinition } from '../define-method.ts'

/** Every built-in method with its required parameters, and with those that change its expressions. */
export const settings: readonly [string, Record<string, unknown>][] = [...builtinMethods.values()].flatMap(
  ({ name, parameters }) => {
    const { perModel, methodWide } = parameters
    const required = { ...('weight' in perModel && { weight: 0.5 }), ...('t' in methodWide && { t: 0.3 }) }
    const variants: Record<string, unknown>[] = [required]
    if ('density' in perModel)
      variants.push({ ...required, density: 0.5 }, { ...required, density: 0.5, normalize: true, rescale: true })
    if ('nuslerp_flatten' in methodWide)
      variants.push(
        { ...required, nuslerp_flatten: false },
        { ...required, nuslerp_flatten: false, nuslerp_row_wise: true },
      )
    if ('consensus_method' in methodWide) variants.push({ ...required, consensus_method: 'count' })
    if ('filter_wise' in methodWide) variants.push({ filter_wise: true })
    if ('select_topk' in methodWide) variants.push({ select_topk: 0.5 })
    if ('scale' in perModel) variants.push({ scale: 0.5 })
    return variants.map((variant): [string, Record<string, unknown>] => [name, variant])
  },
)

/** Two models where the method takes that many. */
export const modelCount = ({ models: { min, max } }: MethodDefinition): number => Math.max(min, Math.min(2, max ?? 2))
