import { nearest } from '@mk/errors'
import * as z from 'zod/mini'
import type { MethodDefinition, ParameterSchemas } from '../declare/define-method.ts'
import { MethodError } from '../errors.ts'
import { expectationOf } from './expectation.ts'
import { parameterCalled, parameterHint } from './parameter-aliases.ts'
import type { Place } from './issues.ts'
import { isWeightRule, takesRules } from './weight-rules.ts'

/** Values as they stand in a configuration, defaults not filled in; absent and undefined are the same. */
export interface GivenParameters {
  /** One record for each model, the base not among them. */
  readonly perModel: readonly Readonly<Record<string, unknown>>[]
  readonly methodWide: Readonly<Record<string, unknown>>
}

/** What `MethodDefinition.merge` takes: per-model parameters as arrays, defaults filled in. Weights by norm are still their names. */
export type MethodParameters = Parameters<MethodDefinition['merge']>[1]

/** A method as far as its parameters go; settings that belong to no method can be declared and checked in the same way. */
export type ParameterDeclaration = Pick<MethodDefinition, 'name' | 'parameters'>

/** Tells where a value was written or looked for; asked only where it is wrong. `model` counts from 0, for per-model parameters. */
export type FindPlace = (parameter: string, model: number | undefined) => Place

/**
 * Checks values against the method's schemas and fills in defaults. Values that the method doesn't declare are left out.
 * @throws MethodError `missing-parameter`, `invalid-parameter`
 */
export function parseParameters(
  { name, parameters }: ParameterDeclaration,
  { perModel, methodWide }: GivenParameters,
  placeOf: FindPlace = () => ({}),
): MethodParameters {
  const parsed: Record<string, unknown> = {}
  for (const [parameter, schema] of Object.entries(parameters.methodWide)) {
    parsed[parameter] = parse(schema, methodWide[parameter], () => ({
      method: name,
      parameter,
      ...placeOf(parameter, undefined),
    }))
  }
  for (const [parameter, schema] of Object.entries(parameters.perModel)) {
    parsed[parameter] = perModel.map((values, model) =>
      parse(schema, values[parameter], () => ({ method: name, parameter, model, ...placeOf(parameter, model) })),
    )
  }
  return parsed as MethodParameters
}

interface ParameterPlace extends Place {
  readonly method: string
  readonly parameter: string
  readonly model?: number
}

function parse(schema: ParameterSchemas[string], value: unknown, placeOf: () => ParameterPlace): unknown {
  if (isWeightRule(value) && takesRules(schema)) return value
  const result = z.safeParse(schema, value)
  if (result.success) return result.data
  if (value === undefined) throw new MethodError({ code: 'missing-parameter', ...placeOf() })
  throw new MethodError(
    { code: 'invalid-parameter', ...placeOf(), value, expected: expectationOf(schema, result.error) },
    { cause: result.error },
  )
}

/** Lists the names of a method's parameters, the per-model ones first. */
export const parameterNames = ({ parameters: { perModel, methodWide } }: ParameterDeclaration): string[] => [
  ...Object.keys(perModel),
  ...Object.keys(methodWide),
]

/**
 * Checks that a name is that of a parameter of the method, or one of `others`, which the caller takes too.
 * @param where the name is written, for the message
 * @throws MethodError `unknown-parameter`, with the nearest spelling, of the method's own names if one of them is near
 */
export function checkParameterName(
  method: ParameterDeclaration,
  parameter: string,
  { others = [], where }: { readonly others?: Iterable<string>; readonly where?: string } = {},
): void {
  const known = parameterNames(method)
  const also = [...others]
  if (known.includes(parameter) || also.includes(parameter)) return
  const hint = parameterHint(parameter)
  throw new MethodError({
    code: 'unknown-parameter',
    method: method.name,
    parameter,
    known,
    nearest: parameterCalled(parameter, known) ?? nearest(parameter, known) ?? nearest(parameter, also),
    ...(hint !== undefined && { hint }),
    where,
  })
}

/**
 * Checks one value of a parameter against the method's schema; a parameter that the method doesn't declare takes anything.
 * @throws MethodError `invalid-parameter`
 */
export function checkParameterValue(
  { name, parameters }: ParameterDeclaration,
  parameter: string,
  value: unknown,
  place: Place & { readonly model?: number } = {},
): void {
  const schema = schemaOf(parameters, parameter)
  if (schema !== undefined) parse(schema, value, () => ({ method: name, parameter, ...place }))
}

/** Lists the parameters that must be set: those without a default. */
export const requiredParameters = (schemas: ParameterSchemas): string[] =>
  Object.entries(schemas).flatMap(([name, schema]) => (z.safeParse(schema, undefined).success ? [] : [name]))

const schemaOf = ({ perModel, methodWide }: ParameterDeclaration['parameters'], parameter: string) => {
  const schemas = Object.hasOwn(perModel, parameter) ? perModel : methodWide
  return Object.hasOwn(schemas, parameter) ? schemas[parameter] : undefined
}

/**
 * Says of a number that the type allows, but that can hardly be meant, what was probably meant: it is outside of the `usual`
 * range that the parameter's schema declares as `.meta({ usual: { min, max } })`.
 * @returns undefined for any other value
 */
export function doubtParameterValue(
  { parameters }: ParameterDeclaration,
  parameter: string,
  value: unknown,
): string | undefined {
  const schema = schemaOf(parameters, parameter)
  if (schema === undefined) return undefined
  const { description } = z.globalRegistry.get(schema) ?? {}
  const usual = usualRange(schema)
  if (usual === undefined || typeof value !== 'number') return undefined
  const { min = -Infinity, max = Infinity } = usual
  if (value >= min && value <= max) return undefined
  const range = min === -Infinity ? `up to ${max}` : max === Infinity ? `from ${min}` : `from ${min} to ${max}`
  const meaning = description === undefined ? '' : ` (${description.replace(/\.$/, '')})`
  const asPercent = min === 0 && max === 1 && value >= 2 && value <= 100
  return `'${parameter}' is ${value}, usual is ${range}${meaning}${asPercent ? `; if ${value} % is meant, write ${value / 100}` : ''}`
}

/** Gives the range that a type declares as usual, if it does. */
export const usualRange = (schema: z.core.$ZodType): UsualRange | undefined =>
  (z.globalRegistry.get(schema) as { readonly usual?: UsualRange } | undefined)?.usual

/** The range outside of which a parameter's value is allowed, but hardly meant. */
export interface UsualRange {
  readonly min?: number
  readonly max?: number
}
