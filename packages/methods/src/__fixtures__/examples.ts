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

/** Parameters with tensors of positive numbers in the place of the files that they name, and with positive definite matrices. */
export const withFiles = (
  method: MethodDefinition,
  parameters: Record<string, unknown>,
  shape: readonly number[],
): Record<string, unknown> => {
  const [count, columns] = [shape.reduce((product, size) => product * size, 1), shape.at(-1) ?? 1]
  const models = Array.from({ length: modelCount(method) }, (_, i) => i + 20)
  const tensors = models.map((seed) => noise(count, seed).map(Math.abs))
  const matrices = models.map((seed) => {
    const diagonal = noise(columns, seed)
    return Float32Array.from({ length: columns ** 2 }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns]
      return diagonal[row]! * diagonal[column]! + (row === column ? 1 : 0)
    })
  })
  const given = (kind: 'elements' | 'matrix', values: readonly Float32Array[]) =>
    tensorParameters(method, kind).map((name) => [name, values] as const)
  return { ...parameters, ...Object.fromEntries([...given('elements', tensors), ...given('matrix', matrices)]) }
}
