import {
  blockTypeNames,
  booleanSchema,
  dtypeNames,
  type JsonSchema,
  no,
  ref,
  type ShapeName,
  shapeOf,
  when,
  yes,
} from './shapes.ts'

/** What a schema knows of merge methods, beside the shape of a recipe. */
export interface MethodSchemas {
  /** Of the name of a method. */
  readonly mergeMethod: JsonSchema
  /** One value of each parameter, by name; no other names are allowed. */
  readonly parameters: Readonly<Record<string, JsonSchema>>
  /** Holds for a recipe whose method brings parameters of its own, which are not known here. */
  readonly hasOwnParameters: JsonSchema
  /** What must hold besides, such as what one of the methods needs. */
  readonly rules: readonly JsonSchema[]
}

/**
 * Makes a JSON Schema (draft 7) of recipes, for editors. It accepts what `parseConfig` accepts, but for what an editor can't see or
 * had better underline: keys at the top that only hold anchors must begin with `x-`, and numbers are not written as text.
 */
export function configSchema(methods?: MethodSchemas): JsonSchema {
  const anyParameters = { type: 'object', additionalProperties: ref('setting') }
  const knownParameters = {
    type: 'object',
    properties: mapValues(methods?.parameters ?? {}, settingOf),
    additionalProperties: false,
  }
  const { properties, ...top } = objectSchema('config')
  const { merge_method, ...others } = properties as Readonly<Record<string, JsonSchema>>
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A recipe for a merge of language models',
    ...top,
    properties: {
      merge_method: merge_method!,
      ...(methods === undefined ? others : mapValues(others, withoutParameters)),
    },
    patternProperties: { '^x-': {} },
    allOf: [
      ...choicesOf('config'),
      ...(methods === undefined
        ? []
        : [when(methods.hasOwnParameters, ofOwnMethods({ properties: others }), { properties: others })]),
      ...(methods?.rules ?? []),
    ],
    definitions: {
      ...leaves(),
      ...methodDefinitions(methods?.mergeMethod ?? { type: ['string', 'number'], minLength: 1 }),
      ...withParameters(methods === undefined ? anyParameters : knownParameters),
      ...(methods && mapKeys(ofOwnMethods(withParameters(anyParameters)), ownName)),
    },
  }
}

/** The mappings that have parameters in them somewhere. */
const parametrized = ['source', 'rangedSource', 'slice', 'module'] as const

const withParameters = (parameters: JsonSchema): Readonly<Record<string, JsonSchema>> => ({
  parameters,
  ...Object.fromEntries(parametrized.map((name) => [name, objectSchema(name)])),
})

const refersToParameters = new RegExp(`"#/definitions/(parameters|${parametrized.join('|')})"`, 'g')
const ownName = (name: string) => `${name}OfOwnMethod`

/** Lets references lead to the definitions in which parameters may have any name. */
const ofOwnMethods = <T extends object>(schemas: T): T =>
  JSON.parse(
    JSON.stringify(schemas).replace(refersToParameters, (_, name: string) => JSON.stringify(ref(ownName(name)).$ref)),
  ) as T

const withoutParameters = (schema: JsonSchema): JsonSchema =>
  JSON.stringify(schema).search(refersToParameters) < 0 ? schema : {}

/** The schema of a mapping: keys without a value count as absent. */
function objectSchema(name: ShapeName): JsonSchema {
  const { keys, required = [], ignored = {} } = shapeOf(name)
  const rules = name === 'config' ? [] : choicesOf(name)
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(
        Object.entries(keys).map(([key, schema]) => [key, required.includes(key) ? schema : orEmpty(schema)]),
      ),
      ...mapValues(ignored, (why) => ({ description: `Ignored: ${why}.` })),
    },
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(rules.length > 0 && { allOf: rules }),
  }
}

function choicesOf(name: ShapeName): JsonSchema[] {
  const { oneOf, notBoth } = shapeOf(name)
  return [
    ...(oneOf === undefined ? [] : [{ oneOf: oneOf.map((key) => ({ required: [key] })) }]),
    ...(notBoth === undefined ? [] : [{ not: { required: notBoth } }]),
  ]
}

function orEmpty({ description, ...schema }: JsonSchema): JsonSchema {
  return { ...(description !== undefined && { description }), anyOf: [schema, { type: 'null' }] }
}

/** A parameter as a recipe may write it: a value, a gradient of numbers, or either by the name of the tensor. */
function settingOf({ description, ...value }: JsonSchema): JsonSchema {
  const numbers =
    JSON.stringify(value).match(/"(number|integer)"/) === null
      ? []
      : [{ type: 'array', minItems: 1, items: { allOf: [{ type: 'number' }, value] } }]
  const choices = choiceOf({ anyOf: [value, ...numbers] })
  return {
    ...(description !== undefined && { description }),
    anyOf: [value, ...numbers, choices, { type: 'array', minItems: 1, items: choices }],
  }
}

function choiceOf(value: JsonSchema): JsonSchema {
  const choice = objectSchema('choice') as { readonly properties: object }
  return { ...choice, title: '{filter, value}', properties: { ...choice.properties, value } }
}

/** A method for all tensors, or one for each part of the model; at the top one is for the tensors that no filter matches. */
function methodDefinitions(name: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const choices = choiceOf(ref('methodName'))
  const forTheRest = { anyOf: [{ not: { required: ['filter'] } }, { properties: { filter: { enum: ['*', null] } } }] }
  const listOf = (rules: JsonSchema) => ({ type: 'array', minItems: 1, items: choices, ...rules })
  return {
    methodName: name,
    methods: { anyOf: [ref('methodName'), choices, listOf({})] },
    topMethod: {
      anyOf: [ref('methodName'), { allOf: [choices, forTheRest] }, listOf({ contains: forTheRest })],
    },
  }
}

/** `path@revision+adapter@revision`; what a backslash in double quotes makes is no part of a path. */
const repository = '[^@+\\u0000-\\u001f]+(@[^@+\\u0000-\\u001f]+)?'
const reference = { type: ['string', 'number'], pattern: `^${repository}(\\+${repository})*$` }

/** `"0.5"` is read, with a warning. */
const numberAsText = '^\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?\\s*$'

const leaves = (): Readonly<Record<string, JsonSchema>> => ({
  boolean: { anyOf: [{ type: 'boolean' }, { enum: [...yes, ...no] }] },
  modelText: reference,
  model: {
    anyOf: [reference, objectSchema('modelObject'), objectSchema('modelSum')],
    description:
      'A folder, a file of weights, a hub id or another merge of the file: path, path@revision, path+adapter, {model: {path, revision}, lora}, or {base, plus: [{model, weight}]}.',
  },
  repository: { anyOf: [{ type: ['string', 'number'], pattern: `^${repository}$` }, objectSchema('repositoryObject')] },
  term: objectSchema('term'),
  layerRange: {
    type: 'array',
    items: { type: 'integer', minimum: 0 },
    minItems: 2,
    maxItems: 2,
    description: '[start, end]; the end is not included.',
  },
  dtype: { enum: dtypeNames.flatMap((name) => [name, `torch.${name}`]) },
  outDtype: { anyOf: [ref('dtype'), { enum: blockTypeNames }] },
  setting: settingOf({
    anyOf: [{ type: 'number' }, booleanSchema, { type: 'string', not: { pattern: numberAsText } }],
  }),
  tokenizerSource: { anyOf: [{ enum: ['base', 'union'] }, ref('model')] },
  tokenizer: objectSchema('tokenizer'),
  token: objectSchema('token'),
  tokenRow: { anyOf: [ref('model'), objectSchema('zero'), objectSchema('modelToken')] },
})

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))

const mapKeys = <T>(record: Readonly<Record<string, T>>, map: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [map(key), value]))
