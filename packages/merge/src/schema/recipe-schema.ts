import { booleanSchema, configSchema, type JsonSchema, when } from '@mk/config'
import {
  builtinMethods,
  jsonSchemaOf,
  type MethodDefinition,
  type ParameterSchemas,
  requiredParameters,
} from '@mk/methods'
import { embeddingSettings } from '../plan/plan-parameters.ts'

/**
 * Makes the JSON Schema (draft 7) of recipes, for editors: the keys of `@mk/config`, and of each method its parameters, what must
 * be set, whether it needs a base and how many models it takes. What only the models tell is beyond it.
 */
export function recipeSchema(methods: ReadonlyMap<string, MethodDefinition> = builtinMethods): JsonSchema {
  const all = [...methods.values()]
  const ofOwn = named({ type: 'string', pattern: ownModule })
  return configSchema({
    mergeMethod: {
      description: 'A merge method, or the path of a module that defines one.',
      anyOf: [
        { oneOf: all.map(({ name, summary }) => ({ const: name, description: summary })) },
        { type: 'string', pattern: ownModule },
      ],
    },
    parameters: parameterSchemas([...all, embeddingSettings]),
    hasOwnParameters: { anyOf: [ofOwn, inSomePart(ofOwn)] },
    rules: all.flatMap(methodRule),
  })
}

/** The path of a JavaScript module, which stands for the method that it exports. */
const ownModule = '\\.[cm]?[jt]s$'

/** Holds for a mapping whose `merge_method`, in one of its entries perhaps, is such a name. @param entry what that entry is besides */
const named = (name: JsonSchema, entry: JsonSchema = {}): JsonSchema => {
  const choice = { type: 'object', properties: { value: name }, required: ['value'], ...entry }
  return {
    required: ['merge_method'],
    properties: { merge_method: { anyOf: [name, choice, { type: 'array', contains: choice }] } },
  }
}

/** Holds for a recipe in which one of the slices or modules is such a mapping. */
function inSomePart(part: JsonSchema): JsonSchema {
  const inSlices = {
    required: ['slices'],
    properties: { slices: { type: 'array', contains: { type: 'object', ...part } } },
  }
  const inModule = { type: 'object', anyOf: [part, inSlices] }
  const inModules = {
    required: ['modules'],
    properties: { modules: { type: 'object', not: { additionalProperties: { not: inModule } } } },
  }
  return { anyOf: [inSlices, inModules] }
}

/** A parameter that several methods have is of one type in all of them, or takes what any of them takes. */
function parameterSchemas(
  methods: readonly Pick<MethodDefinition, 'parameters'>[],
): Readonly<Record<string, JsonSchema>> {
  const found = new Map<string, JsonSchema[]>()
  for (const { parameters } of methods)
    for (const [name, schema] of [...Object.entries(parameters.perModel), ...Object.entries(parameters.methodWide)]) {
      const known = found.get(name) ?? []
      const value = valueSchema(schema)
      if (!known.some((other) => typeText(other) === typeText(value))) found.set(name, [...known, value])
    }
  return Object.fromEntries(
    [...found].map(([name, schemas]) => [name, schemas.length === 1 ? schemas[0]! : { anyOf: schemas }]),
  )
}

const typeText = (schema: JsonSchema) => JSON.stringify({ ...schema, description: undefined })

/** What a type says to an editor: without the default, which differs between methods, and what is only for this program. */
function valueSchema(schema: ParameterSchemas[string]): JsonSchema {
  const {
    $schema: _schema,
    default: _default,
    usual: _usual,
    tensors: _tensors,
    description,
    ...type
  } = jsonSchemaOf(schema) as JsonSchema
  return {
    ...(description !== undefined && { description }),
    ...(type['type'] === 'boolean' ? { anyOf: [booleanSchema, { enum: [0, 1] }] } : type),
  }
}

/** An entry without a filter. */
const forAllOthers: JsonSchema = {
  anyOf: [{ not: { required: ['filter'] } }, { properties: { filter: { enum: ['*', null] } } }],
}

/** What the method needs that all tensors have which no filter matches; nothing where it needs nothing. */
function methodRule({ name, base, models, parameters }: MethodDefinition): JsonSchema[] {
  const most = models.max === undefined ? undefined : models.max + (base === 'none' ? 0 : 1)
  const needs = [
    ...(base === 'required' ? [{ anyOf: [{ required: ['base_model'] }, basesInSlices] }] : []),
    ...(most === undefined ? [] : [{ properties: { models: { maxItems: most } } }]),
    ...requiredParameters(parameters.methodWide).map((parameter) => given(parameter, [])),
    ...requiredParameters(parameters.perModel).map((parameter) => given(parameter, [inSomeModel(parameter)])),
  ]
  return needs.length === 0
    ? []
    : [
        when(
          {
            ...named({ const: name }, forAllOthers),
            not: inSomePart({ required: ['merge_method'] }),
          },
          { allOf: needs },
        ),
      ]
}

/** Where a recipe has slices or modules, a parameter may stand in any of them; only `models` is as simple as that. */
const given = (parameter: string, elsewhere: readonly JsonSchema[]): JsonSchema =>
  when(
    { required: ['models'] },
    {
      anyOf: [
        { properties: { parameters: { type: 'object', required: [parameter] } }, required: ['parameters'] },
        { required: ['input_model_parameters'] },
        ...elsewhere,
      ],
    },
  )

const inSomeModel = (parameter: string): JsonSchema => ({
  properties: {
    models: { contains: { properties: { parameters: { required: [parameter] } }, required: ['parameters'] } },
  },
})

/** Whether modules have slices with bases of their own is left to the merge. */
const basesInSlices: JsonSchema = {
  anyOf: [
    { required: ['slices'], properties: { slices: { items: { required: ['base_model'] } } } },
    { required: ['modules'] },
  ],
}
