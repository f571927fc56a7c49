import type { Expression } from '@mk/tensor'
import * as z from 'zod/mini'
import type { MethodParameters, ParameterDeclaration } from './parse-parameters.ts'

/** Lists the parameters of each model that name files of tensors, one for each tensor of the model and of its shape. */
export const tensorParameters = ({ parameters }: ParameterDeclaration): readonly string[] =>
  Object.entries(parameters.perModel).flatMap(([name, schema]) => {
    const facts = z.globalRegistry.get(schema) as { readonly tensors?: 'elements' } | undefined
    return facts?.tensors === 'elements' ? [name] : []
  })

/** Puts the tensors of files where their names stand among the parameters: by parameter, one for each model. */
export const withTensors = (
  parameters: MethodParameters,
  tensors: Readonly<Record<string, readonly Expression[]>>,
): MethodParameters => ({ ...parameters, ...tensors })
