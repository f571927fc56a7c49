import type { GgufMetadata, GgufValue } from '../metadata.ts'
import type { GgufModelPlan, GgufTensorPlan } from '../tensor-plan.ts'
import { checkSettings } from './check-settings.ts'
import { type ConfigValues, findSetting, languageConfig } from './config-values.ts'
import { ConversionError } from './errors.ts'
import { ggufFamilies } from './families/all-families.ts'
import { headDim } from './families/llama-like.ts'
import type { GgufFamily } from './family.ts'
import { generalMetadata, storageMetadata } from './general-metadata.ts'
import { mapTensors, type NamedShape } from './map-tensors.ts'
import type { ConversionNotice } from './notices.ts'
import { readRope } from './rope.ts'
import { parseJson } from './tokenizer/documents.ts'
import { readVocabulary } from './tokenizer/read-vocabulary.ts'
import { takeVocabulary } from './tokenizer/take-vocabulary.ts'

/** A model of transformers, as far as planning it as a GGUF needs it. */
export interface ConversionRequest {
  /** config.json. */
  readonly config: ConfigValues
  /** Of the checkpoint, in the order in which they shall lie in the file. */
  readonly tensors: readonly NamedShape[]
  /**
   * The texts of small files by name: tokenizer.json, tokenizer_config.json, added_tokens.json, chat_template.jinja,
   * generation_config.json; those that there are.
   */
  readonly documents: ReadonlyMap<string, string>
  /** tokenizer.model of sentencepiece. */
  readonly sentencePiece?: Uint8Array
  /** What matrices are stored as, such as F16 or Q8_0. */
  readonly type: string
  /** `general.name`. */
  readonly name: string
  /** Metadata of another GGUF, whose tokenizer is taken instead of what the documents say. */
  readonly tokenizer?: GgufMetadata
  /** llama.cpp's name of the way in which text is split before it is tokenized, instead of the one that is recognized. */
  readonly preTokenizer?: string
}

/** How a model of transformers is written as a GGUF, with what is to be told about it. */
export interface Conversion {
  readonly plan: GgufModelPlan
  /** `general.architecture`. */
  readonly architecture: string
  readonly notices: readonly ConversionNotice[]
}

/**
 * Plans a model of transformers as a GGUF, from its config, its small files, and the names and shapes of its tensors; pure.
 *
 * @throws ConversionError where the model, or something of it, can't be said in a GGUF.
 */
export function planConversion(request: ConversionRequest): Conversion {
  const family = findFamily(request.config)
  const config = languageConfig(request.config)
  const notices = checkSettings(family, config)
  const mapped = mapTensors(family, config, request.tensors)
  const settings = family.settings.map((setting): [string, GgufValue | undefined] => {
    const value = findSetting(config, setting.value)
    if (value === undefined && !setting.optional) throw missingSetting(setting.key)
    return [setting.key, value === undefined ? undefined : { type: setting.type, value }]
  })
  const turned =
    settings.find(([key]) => key === 'rope.dimension_count')?.[1] ??
    settings.find(([key]) => key === 'attention.key_length')?.[1]
  const dimensions = turned?.type === 'uint32' ? turned.value : (findSetting(config, headDim) ?? 0)
  if (dimensions > largestHead)
    throw new ConversionError({
      code: 'gguf-config',
      path: 'head_dim',
      expected: `at most ${largestHead}`,
      found: String(dimensions),
    })
  const rope = readRope(family.rope, config, dimensions)
  const rows = mapped.tensors.find(({ name }) => name === 'token_embd.weight')!.shape[0]!
  const tensors: GgufTensorPlan[] = [...rope.tensors, ...mapped.tensors]
  const vocabulary =
    request.tokenizer === undefined
      ? readVocabulary(request, { rows, config, specialByLook: family.specialByLook ?? true })
      : takeVocabulary(request.tokenizer, rows)
  const ofArchitecture = [...settings, ...rope.metadata].flatMap(([key, value]): [string, GgufValue][] =>
    value === undefined ? [] : [[`${family.architecture}.${key}`, value]],
  )
  const generation = parseJson(request.documents, 'generation_config.json')
  const metadata: GgufMetadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: family.architecture }],
    ...generalMetadata({ name: request.name, generation, tensors }),
    ...ofArchitecture,
    ...(family.writesVocabularySize ? [vocabularySize(family, rows)] : []),
    ...storageMetadata(request.type),
    ...vocabulary.metadata,
  ])
  return {
    plan: { metadata, tensors, leftOut: mapped.leftOut },
    architecture: family.architecture,
    notices: [...notices, ...vocabulary.notices, ...leftOutNotices(mapped.leftOut)],
  }
}

/** No model's head comes near it. */
const largestHead = 2 ** 16

/** Tells whether a model is of a family that there is a map of. */
export const hasFamilyMap = (config: ConfigValues): boolean =>
  ggufFamilies.some(({ modelTypes }) => modelTypes.some((known) => known === config['model_type']))

function findFamily(config: ConfigValues): GgufFamily {
  const type = config['model_type']
  const architectures = config['architectures']
  const named = Array.isArray(architectures) ? architectures[0] : undefined
  const family = ggufFamilies.find(({ modelTypes }) => modelTypes.some((known) => known === type))
  if (family !== undefined && (named === undefined || family.architectures.includes(named))) return family
  throw new ConversionError({
    code: 'gguf-family',
    found: family === undefined ? `model_type ${JSON.stringify(type)}` : `architecture ${JSON.stringify(named)}`,
    known: (family?.architectures ?? ggufFamilies.flatMap(({ modelTypes }) => modelTypes)).join(', '),
  })
}

const vocabularySize = ({ architecture }: GgufFamily, value: number): [string, GgufValue] => [
  `${architecture}.vocab_size`,
  { type: 'uint32', value },
]

const missingSetting = (key: string): ConversionError =>
  new ConversionError({ code: 'gguf-config', path: key, expected: 'a number that tells it', found: 'nowhere' })

/** One for each reason. */
export function leftOutNotices(leftOut: ReadonlyMap<string, string>): ConversionNotice[] {
  return [...new Set(leftOut.values())].map((why) => ({
    code: 'gguf-tensors-left-out',
    tensors: [...leftOut].filter(([, reason]) => reason === why).map(([name]) => name),
    why,
  }))
}
