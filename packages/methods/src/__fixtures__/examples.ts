import { builtinMethods } from '../builtin-methods.ts'
import { tensorParameters } from '../check/tensor-parameters.ts'
import type { MethodDefinition } from '../declare/define-method.ts'
import { noise } from './arrays.ts'

/** Every built-in method with each of its examples, by name, for `it.each`. */
export const examples: readonly [string, Record<string, unknown>][] = [...builtinMethods.values()].flatMap(
  ({ name, examples = [{}] }) => examples.map((parameters): [string, Record<string, unknown>] => [name, parameters]),
)

/** Two models where the method takes that many. */
export const modelCount = ({ models: { min, max } }: MethodDefinition): number => Math.max(min, Math.min(2, max ?? 2))

/** Parameters with tensors of positive numbers in the place of the files that they name. */
export const withFiles = (
  method: MethodDefinition,
  parameters: Record<string, unknown>,
  count: number,
  models = modelCount(method),
): Record<string, unknown> => {
  const tensors = Array.from({ length: models }, (_, i) => noise(count, i + 20).map(Math.abs))
  return { ...parameters, ...Object.fromEntries(tensorParameters(method).map((name) => [name, tensors])) }
}
