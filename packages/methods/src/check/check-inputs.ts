import type { MethodDefinition } from '../declare/define-method.ts'
import { MethodError } from '../errors.ts'

/**
 * Checks that a method can be used with that many models, the base not among them.
 * @param where the models are written, for the message
 * @throws MethodError `base-required`, `model-count`
 */
export function checkInputs(
  { name, base, models: { min, max } }: Pick<MethodDefinition, 'name' | 'base' | 'models'>,
  { hasBase, modelCount }: { readonly hasBase: boolean; readonly modelCount: number },
  where?: string,
): void {
  if (base === 'required' && !hasBase) throw new MethodError({ code: 'base-required', method: name, where })
  if (modelCount < min || modelCount > (max ?? Infinity))
    throw new MethodError({ code: 'model-count', method: name, found: modelCount, min, max, hasBase, where })
}
