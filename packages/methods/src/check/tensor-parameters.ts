import type { Expression } from '@mk/tensor'
import * as z from 'zod/mini'
import type { MethodParameters, ParameterDeclaration } from './parse-parameters.ts'

/** What a file that a parameter names has for each tensor: one of its shape, or a square matrix of as many columns. */
type FileKind = 'elements' | 'matrix'

/** Lists the parameters of each model that name files of tensors, those of one kind or all. */
export const tensorParameters = ({ parameters }: ParameterDeclaration, kind?: FileKind): readonly string[] =>
  Object.entries(parameters.perModel).flatMap(([name, schema]) => {
    const facts = z.globalRegistry.get(schema) as { readonly tensors?: FileKind } | undefined
    return facts?.tensors !== undefined && facts.tensors === (kind ?? facts.tensors) ? [name] : []
  })

/** Puts the tensors of files where their names stand among the parameters: by parameter, one for each model. */
export const withTensors = (
  parameters: MethodParameters,
  tensors: Readonly<Record<string, readonly (Expression | undefined)[]>>,
): MethodParameters => ({ ...parameters, ...tensors })
