import { builtinMethods } from '../builtin-methods.ts'
import type { MethodDefinition } from '../declare/define-method.ts'

/** Every built-in method with each of its examples, by name, for `it.each`. */
export const examples: readonly [string, Record<string, unknown>][] = [...builtinMethods.values()].flatMap(
  ({ name, examples = [{}] }) => examples.map((parameters): [string, Record<string, unknown>] => [name, parameters]),
)

/** Two models where the method takes that many. */
export const modelCount = ({ models: { min, max } }: MethodDefinition): number => Math.max(min, Math.min(2, max ?? 2))
