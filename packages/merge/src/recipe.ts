import type { RecipeOf } from '@mk/config'
import type { BuiltinMethodName, BuiltinMethodTypes, MethodDefinition, TypesOfMethod } from '@mk/methods'

/**
 * A recipe as an object: the keys are those of the YAML, and the names of methods and parameters are known to the type checker.
 * `Recipe<typeof myMethod>` also takes those of a method of one's own, `./my-method.mjs` any parameters.
 */
export type Recipe<Own extends MethodDefinition = never> = RecipeOf<
  BuiltinMethodTypes[BuiltinMethodName] | TypesOfMethod<Own> | MethodOfModule
>

/** A method that a module brings: the name is its path, and nothing is known of its parameters. */
interface MethodOfModule {
  readonly name: `${string}.${'js' | 'mjs' | 'cjs' | 'ts' | 'mts' | 'cts'}`
  readonly base: 'optional'
  readonly perModel: Readonly<Record<string, number | boolean | string>>
  readonly methodWide: object
}
