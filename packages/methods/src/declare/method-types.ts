import type { z } from 'zod'
import type { BuiltinMethodTypes } from './builtin-method-types.ts'
import type { Expression } from '@mk/tensor'
import type { MethodDefinition, ParameterSchemas } from './define-method.ts'
import type { TensorInput } from './tensor-input.ts'

/** What the type checker knows of a method: of its parameters, by name, the type of one value as a recipe writes it. */
export interface MethodTypes {
  readonly name: string
  readonly base: 'required' | 'optional' | 'none'
  readonly perModel: object
  readonly methodWide: object
  /** Those of each model that name a file of tensors. */
  readonly tensors?: string
}

/** The name of a built-in method. */
export type BuiltinMethodName = keyof BuiltinMethodTypes

/** The types of a method of one's own, by its schemas. */
export type TypesOfMethod<D extends MethodDefinition> =
  D extends MethodDefinition<infer M, infer P, infer Name>
    ? {
        readonly name: Name
        readonly base: D['base']
        readonly perModel: Given<M>
        readonly methodWide: Given<P>
        readonly tensors: NamesOfFiles<M>
      }
    : never

/** Whoever doesn't know the schemas may give anything. */
type Given<S extends ParameterSchemas> = string extends keyof S
  ? Readonly<Record<string, unknown>>
  : { readonly [K in keyof S]?: Exclude<z.input<S[K]>, undefined> }

type NamesOfFiles<S extends ParameterSchemas> = string extends keyof S
  ? never
  : { [K in keyof S & string]: z.output<S[K]> extends Expression | undefined ? K : never }[keyof S & string]

type FilesOf<M> = M extends { readonly tensors: infer Names } ? Names : never

/** Parameters by name; of a per-model one a value for all models, or a list of one for each. Files of tensors are tensors here. */
export type ArrayParameters<M> = M extends MethodTypes
  ? {
      readonly [K in keyof M['perModel']]?: K extends FilesOf<M>
        ? TensorInput | readonly TensorInput[]
        : M['perModel'][K] | readonly Exclude<M['perModel'][K], undefined>[]
    } & { readonly [K in keyof M['methodWide']]?: M['methodWide'][K] }
  : never
