import * as z from 'zod/mini'
import { builtinMethods } from '../builtin-methods.ts'
import { jsonSchemaOf, wordsOf } from '../check/expectation.ts'
import { tensorParameters } from '../check/tensor-parameters.ts'
import { type UsualRange, usualRange } from '../check/parse-parameters.ts'
import type { MethodDefinition, ParameterSchemas } from './define-method.ts'

/** A parameter as plain data. */
export interface ParameterDescription {
  readonly name: string
  readonly scope: 'per model' | 'method-wide'
  /** Such as 'number', 'integer', 'boolean', 'sum | count'. */
  readonly type: string
  readonly required: boolean
  /** In words: 'a number of at least 0'. */
  readonly allowed: string
  /** Outside of it a value is allowed, but worth a warning; absent: none is. */
  readonly usual?: UsualRange
  /** Absent if there is none. */
  readonly default?: unknown
  readonly description: string
  /** It names a file with a tensor, or a matrix, for each of the model's. */
  readonly isFile?: true
}

/** A method as plain data. */
export interface MethodDescription extends Pick<
  MethodDefinition,
  'name' | 'summary' | 'reference' | 'base' | 'models'
> {
  readonly parameters: readonly ParameterDescription[]
}

/** Describes methods as plain data, for lists and tables; the built-in ones if none are given. */
export const describeMethods = (methods: Iterable<MethodDefinition> = builtinMethods.values()): MethodDescription[] =>
  Array.from(methods, ({ name, summary, reference, base, models, parameters }) => ({
    name,
    summary,
    ...(reference && { reference }),
    base,
    models,
    parameters: [...describe(parameters.perModel, 'per model'), ...describe(parameters.methodWide, 'method-wide')].map(
      (parameter) =>
        tensorParameters({ name, parameters }).includes(parameter.name) ? { ...parameter, isFile: true } : parameter,
    ),
  }))

const describe = (schemas: ParameterSchemas, scope: ParameterDescription['scope']): ParameterDescription[] =>
  Object.entries(schemas).map(([name, schema]) => {
    const json = jsonSchemaOf(schema)
    const usual = usualRange(schema)
    const absent = z.safeParse(schema, undefined)
    return {
      name,
      scope,
      type: typeName(json),
      required: !absent.success,
      allowed: wordsOf(schema) ?? 'what its type takes',
      ...(usual !== undefined && { usual }),
      ...(absent.success && absent.data !== undefined && { default: absent.data }),
      description: json.description ?? '',
    }
  })

type JsonSchema = z.core.JSONSchema.BaseSchema

const typeName = ({ enum: values, const: only, anyOf, type }: JsonSchema): string =>
  (
    (only === undefined ? values : [only]) ??
    anyOf?.map((one) => typeName(one as JsonSchema)) ??
    [type ?? 'any'].flat()
  ).join(' | ')
