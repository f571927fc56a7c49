import * as z from 'zod/mini'
import { takesRules, weightRules } from './weight-rules.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * Describes a parameter's type as JSON Schema, as far as there is one: what stands in a configuration, or what the method
 * gets where the type converts from anything.
 */
export function jsonSchemaOf(schema: z.core.$ZodType): JsonSchema {
  if (!takesRules(schema)) return plainSchema(schema)
  const { $schema, description, default: value, usual, byNorm: _byNorm, ...number } = plainSchema(schema)
  const facts = { $schema, description, default: value, usual }
  const given = Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined))
  return { ...given, anyOf: [number, ...weightRules.map((rule) => ({ const: rule }))] } as JsonSchema
}

function plainSchema(schema: z.core.$ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const isKnown = json.type !== undefined || json.anyOf !== undefined || json.enum !== undefined
  return isKnown ? json : z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
}

/** Says in words what values a type takes: `a number of at least 0`; undefined where there are none for it. */
export const wordsOf = (schema: z.core.$ZodType): string | undefined => inWords(jsonSchemaOf(schema))

/** Says in words what values a parameter takes, with what the type's own refinements say of the value that failed. */
export function expectationOf(schema: z.core.$ZodType, { issues }: z.core.$ZodError): string {
  const own = issues.flatMap(({ code, message }) => (code === 'custom' && message !== noMessage ? [message] : []))
  const words = inWords(jsonSchemaOf(schema))
  return [...(words === undefined && own.length > 0 ? [] : [words ?? 'another value']), ...new Set(own)].join('; ')
}

/** What zod says for a refinement without words of its own. */
const noMessage = 'Invalid input'

function inWords({ enum: values, const: only, anyOf, type, ...limits }: JsonSchema): string | undefined {
  if (only !== undefined) return String(only)
  if (values !== undefined) return alternatives(values.map(String))
  if (anyOf !== undefined) {
    const each = anyOf.map((one) => inWords(one as JsonSchema))
    return each.includes(undefined) ? undefined : alternatives(each as string[])
  }
  if (Array.isArray(type)) return alternatives(type.map((one) => inWords({ ...limits, type: one })!))
  switch (type) {
    case 'number':
      return `a number${rangeOf(limits)}`
    case 'integer':
      return `a whole number${rangeOf(limits)}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'a text'
    case 'null':
      return 'null'
    case 'array':
      return 'a list'
    case 'object':
      return 'a mapping'
    case undefined:
      return undefined
    default:
      return type satisfies never
  }
}

const alternatives = (words: readonly string[]): string =>
  words.length < 3 ? words.join(' or ') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf }: JsonSchema): string {
  const least = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? [] : [`at least ${minimum}`]
  const most = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]
  const limits = [
    ...least,
    ...(exclusiveMinimum === undefined ? [] : [`more than ${exclusiveMinimum}`]),
    ...most,
    ...(exclusiveMaximum === undefined ? [] : [`less than ${exclusiveMaximum}`]),
  ]
  const range = limits.length === 0 ? '' : ` of ${limits.join(' and ')}`
  return multipleOf === undefined ? range : `${range}, a multiple of ${multipleOf}`
}
