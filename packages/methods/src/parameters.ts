import type { MethodDefinition, ParameterSchemas } from './define-method.ts'
import { MethodError } from './errors.ts'

/** Values as they stand in a configuration, defaults not filled in; absent and undefined are the same. */
export interface GivenParameters {
  /** One record for each model, the base not among them. */
  readonly perModel: readonly Readonly<Record<string, unknown>>[]
  readonly methodWide: Readonly<Record<string, unknown>>
}

/** What `MethodDefinition.merge` takes: per-model parameters as arrays, defaults filled in. */
export type MethodParameters = Parameters<MethodDefinition['merge']>[1]

/**
 * Checks values against the method's schemas and fills in defaults. Values that the method doesn't declare are left out.
 * @throws MethodError `missing-parameter`, `invalid-parameter`
 */
export function parseParameters(method: MethodDefinition, { perModel, methodWide }: GivenParameters): MethodParameters {
  const parsed: Record<string, unknown> = {}
  for (const parameter of Object.keys(method.parameters.perModel)) {
    parsed[parameter] = perModel.map((values, model) =>
      parse(method, method.parameters.perModel, parameter, values[parameter], model),
    )
  }
  for (const parameter of Object.keys(method.parameters.methodWide)) {
    parsed[parameter] = parse(method, method.parameters.methodWide, parameter, methodWide[parameter])
  }
  return parsed as MethodParameters
}

function parse(
  { name: method }: MethodDefinition,
  schemas: ParameterSchemas,
  parameter: string,
  value: unknown,
  model?: number,
): unknown {
  const result = schemas[parameter]!.safeParse(value)
  if (result.success) return result.data
  const where = { method, parameter, ...(model !== undefined && { model }) }
  if (value === undefined) throw new MethodError({ code: 'missing-parameter', ...where })
  const problem = result.error.issues.map((issue) => issue.message).join('; ')
  throw new MethodError({ code: 'invalid-parameter', ...where, value, problem }, { cause: result.error })
}

/**
 * Whether the method can be used with that many models, the base not among them.
 * @throws MethodError `needs-base`, `model-count`
 */
export function checkInputs(
  method: MethodDefinition,
  inputs: { readonly hasBase: boolean; readonly modelCount: number },
): void {
  const { min, max } = method.models
  if (method.base === 'required' && !inputs.hasBase) throw new MethodError({ code: 'needs-base', method: method.name })
  if (inputs.modelCount < min || inputs.modelCount > (max ?? Infinity)) {
    throw new MethodError({
      code: 'model-count',
      method: method.name,
      count: inputs.modelCount,
      min,
      ...(max !== undefined && { max }),
    })
  }
}
