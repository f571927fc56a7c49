/** A JSON Schema, draft 7, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A mapping of a recipe. */
interface Shape {
  /** What each key holds, in the order in which errors list the keys. */
  readonly keys: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  /** Keys that other tools write and that change nothing here, with what to say. */
  readonly ignored?: Readonly<Record<string, string>>
  /** Of these exactly one is there. */
  readonly oneOf?: readonly string[]
  /** Of these at most one is there. */
  readonly notBoth?: readonly string[]
}

const of = (name: string, description?: string): JsonSchema => ({
  ...ref(name),
  ...(description !== undefined && { description }),
})
const text = (description: string): JsonSchema => ({ type: ['string', 'number'], minLength: 1, description })
const listOf = (name: string, description: string): JsonSchema => ({
  type: 'array',
  minItems: 1,
  items: of(name),
  description,
})

/** Refers to a definition of the schema. */
export const ref = (name: string) => ({ $ref: `#/definitions/${name}` })

/** Makes a schema that asks for one where another holds, and perhaps for a third elsewhere. */
export const when = (condition: JsonSchema, then: JsonSchema, otherwise?: JsonSchema): JsonSchema => ({
  if: condition,
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word; a schema is never awaited
  then,
  ...(otherwise !== undefined && { else: otherwise }),
})

export const yes: readonly string[] = ['yes', 'Yes', 'YES', 'on', 'On', 'ON']
export const no: readonly string[] = ['no', 'No', 'NO', 'off', 'Off', 'OFF']
/** A boolean of YAML 1.2, or one of the plain words that YAML 1.1 reads as one. */
export const booleanSchema: JsonSchema = ref('boolean')

/** The dtypes that an output can have, by torch's names. */
export const dtypeNames = ['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2'] as const
/** Types of tensors that only a GGUF has, in blocks of elements with a scale each. */
export const blockTypeNames = ['q8_0', 'q4_0'] as const
export const missingChoices = ['base', 'skip', 'others'] as const
export const outFormats = ['safetensors', 'gguf', 'lora'] as const
export const adapterSpaces = ['products', 'knots', 'factors'] as const

const parameters = of('parameters', 'Settings of the merge method.')
const models = listOf('source', 'Whole models.')
const slices = listOf('slice', 'Ranges of layers, put on top of one another.')
const baseModel = of('model', 'What the others are compared with; donates config.json, tokenizer and small files.')
const partMethod = of(
  'methods',
  'Here instead of the one at the top; a list of {filter, value} may leave the rest to that.',
)
const dtype = of('dtype', 'What is written; absent: the dtype of each tensor.')

/** Every mapping that a recipe has: the decoders take the keys from here, and the JSON Schema what stands under them. */
export const shapes = {
  config: {
    keys: {
      merge_method: of(
        'topMethod',
        'A merge method, or the path of a module that defines one; or a list of {filter, value} with one for each part of the model.',
      ),
      models,
      slices,
      modules: {
        type: 'object',
        minProperties: 1,
        additionalProperties: of('module'),
        description: 'Models or slices for each part of a model that has several.',
      },
      base_model: baseModel,
      parameters,
      input_model_parameters: {
        type: 'object',
        propertyNames: of('modelText'),
        additionalProperties: of('parameters'),
        description: 'The way of early versions to give parameters: by model.',
      },
      dtype,
      out_dtype: of('outDtype', 'What is written, where dtype says what mergekit computes in.'),
      out_format: {
        enum: outFormats,
        description:
          'A folder of safetensors as transformers reads it, one GGUF for llama.cpp, or a LoRA adapter for the base model. Absent: safetensors.',
      },
      rank: {
        type: 'integer',
        minimum: 1,
        description: 'Of an adapter that is written: the most ranks of a module. Absent: as many as its adapters have.',
      },
      adapter_space: {
        enum: adapterSpaces,
        description:
          'Of an adapter that is written: whether the method merges products of factors, products in a basis that all share (KnOTS), or the factors, as PEFT does. Absent: products.',
      },
      tokenizer_source: of(
        'tokenizerSource',
        'The vocabulary of the output; rows of embeddings are averaged over the models that have the token.',
      ),
      tokenizer: of(
        'tokenizer',
        'The vocabulary of the output; every model gets the rows it lacks, then the method merges.',
      ),
      chat_template: text("'auto', a known name (alpaca, chatml, exaone, llama3, mistral), or a Jinja template."),
      missing: {
        enum: missingChoices,
        description:
          'What becomes of tensors that not all models have: the base’s, none, or what the others give. Absent: an error.',
      },
      name: text(
        'What the other recipes of the file call this merge, wherever they name a model. The last one has none.',
      ),
    },
    required: ['merge_method'],
    oneOf: ['models', 'slices', 'modules'],
    notBoth: ['tokenizer_source', 'tokenizer'],
    ignored: {
      random_seed: 'the seed is given on the command line, as --random-seed',
    },
  },
  source: { keys: { model: of('model'), parameters }, required: ['model'] },
  rangedSource: {
    keys: { model: of('model'), layer_range: of('layerRange'), parameters },
    required: ['model'],
  },
  slice: {
    keys: {
      sources: listOf('rangedSource', 'Equally many layers of each model, merged with one another.'),
      base_model: baseModel,
      merge_method: partMethod,
      parameters,
    },
    required: ['sources'],
    ignored: { residual_weight: 'mergekit accepts it without using it' },
  },
  module: { keys: { models, slices, merge_method: partMethod, parameters }, oneOf: ['models', 'slices'] },
  modelObject: {
    keys: {
      model: of('repository'),
      lora: {
        anyOf: [of('repository'), { type: 'array', items: of('repository') }],
        description: 'LoRA adapters, applied in order.',
      },
      override_architecture: text('Treat the model as one of this architecture.'),
    },
    required: ['model'],
  },
  modelSum: {
    keys: {
      base: of('model', 'What is added to; donates config.json, tokenizer and small files.'),
      plus: listOf('term', 'What is added to it, each times its weight: two with 1 and -1 are a difference.'),
    },
    required: ['base', 'plus'],
  },
  term: {
    keys: { model: of('model'), weight: { type: 'number', description: 'Absent: 1.' } },
    required: ['model'],
  },
  repositoryObject: {
    keys: { path: text('A folder or hub id.'), revision: text('A branch, tag or commit.') },
    required: ['path'],
  },
  choice: {
    keys: {
      filter: { type: ['string', 'number'], description: 'A part of a tensor’s name; absent or *: every tensor.' },
      value: {},
    },
    required: ['value'],
  },
  tokenizer: {
    keys: {
      source: of('tokenizerSource', 'Absent: union.'),
      tokens: {
        type: 'object',
        additionalProperties: { anyOf: [of('token'), { type: 'null' }] },
        description: 'Tokens that need a decision.',
      },
      pad_to_multiple_of: { type: 'integer', minimum: 1, description: 'Add rows until their number is a multiple.' },
    },
  },
  token: {
    keys: {
      source: of('tokenRow', 'What fills the row of models that lack the token.'),
      force: { ...booleanSchema, description: 'Also for models that have the token.' },
    },
  },
  zero: { keys: { kind: { const: 'zero' } }, required: ['kind'] },
  modelToken: {
    keys: {
      kind: { const: 'model_token' },
      model: of('model'),
      token: text('A token of that model.'),
      token_id: { type: 'integer', minimum: 0 },
    },
    required: ['kind', 'model'],
    oneOf: ['token', 'token_id'],
  },
} satisfies Readonly<Record<string, Shape>>

/** Gives the keys that a mapping may have, in the order in which errors list them. */
export const keysOf = (shape: ShapeName): readonly string[] => Object.keys(shapes[shape].keys)

export type ShapeName = keyof typeof shapes

/** Looks at any of the shapes as one. */
export const shapeOf = (name: ShapeName): Shape => shapes[name]
