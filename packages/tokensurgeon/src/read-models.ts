import { embeddingNames, headNames, isTied, type ModelConfig } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { isRecord } from '@mk/errors'
import type { MergeInputs } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { type LoadedTokenizer, readTokenizerFrom } from '@mk/tokenizer'
import { SurgeonError } from './errors.ts'
import { listMeanings, type TokenMeaning } from './vocabulary/token-text.ts'

/** A matrix over the vocabulary. */
export interface VocabularyMatrix {
  readonly name: string
  readonly source: TensorSource
}

/** A model, as far as its vocabulary is concerned. */
export interface VocabularyModel {
  /** Position among the inputs. */
  readonly input: number
  readonly label: string
  readonly checkpoint: Checkpoint
  readonly tokenizer: LoadedTokenizer
  /** In the order of their ids. */
  readonly tokens: readonly TokenMeaning[]
  readonly embedding: VocabularyMatrix
  /** Absent where the embedding is the head, too. */
  readonly head?: VocabularyMatrix
  /** A head that is stored though the embedding takes its place. */
  readonly tiedHead?: string
  /** An element for each token, after the head. */
  readonly bias?: VocabularyMatrix
}

/** Reads the vocabulary of a model, and finds its matrices. @throws SurgeonError; TokenizerError where files are damaged */
export async function readModel(inputs: MergeInputs, input: number): Promise<VocabularyModel> {
  const checkpoint = inputs.checkpoints[input]!
  const label = inputs.labels[input]!
  const tokenizer = await readTokenizer(inputs, input)
  const layout = inputs.layouts[input]!
  const matrix = (name: string): VocabularyMatrix => ({ name, source: checkpoint.tensors.get(name)! })
  const names = embeddingNames(layout)
  if (names.length !== 1) throw new SurgeonError({ code: 'surgeon-embedding', model: label, names })
  const stored = headNames(layout)
  const tied = checkpoint.config !== undefined && isTied(checkpoint.config, layout)
  if (!tied && stored.length > 1)
    throw new SurgeonError({ code: 'surgeon-embedding', model: label, names: [...names, ...stored] })
  const biases = layout.modules.flatMap(({ tensors }) => tensors.filter(({ role }) => role === 'head-bias'))
  const bias = biases[0] && matrix(biases[0].name)
  if (bias !== undefined && (biases.length > 1 || bias.source.shape.length !== 1))
    throw new SurgeonError({ code: 'surgeon-bias', model: label, name: bias.name, shape: bias.source.shape })
  return {
    input,
    label,
    checkpoint,
    tokenizer,
    tokens: listMeanings(tokenizer),
    embedding: matrix(names[0]!),
    ...(stored[0] !== undefined && (tied ? { tiedHead: stored[0] } : { head: matrix(stored[0]) })),
    ...(bias !== undefined && { bias }),
  }
}

async function readTokenizer({ store, checkpoints, labels }: MergeInputs, input: number): Promise<LoadedTokenizer> {
  const { folder, documents, gguf } = checkpoints[input]!
  const refuse = (problem: string) => new SurgeonError({ code: 'surgeon-tokenizer', model: labels[input]!, problem })
  if (gguf !== undefined) throw refuse('a GGUF has its tokenizer in a form of its own')
  if (folder === undefined) throw refuse('it is no folder')
  const tokenizer = await readTokenizerFrom(store, folder, documents)
  if (tokenizer.kind === 'missing') throw refuse('it has no tokenizer')
  if (tokenizer.kind === 'sentencepiece-only') throw refuse('its tokenizer is there as tokenizer.model only')
  return tokenizer
}

/** Numbers of rows that tokens need: one for each id up to the highest. */
export const rowsForTokens = ({ ids }: Pick<LoadedTokenizer, 'ids'>): number => {
  let most = ids.size
  for (const id of ids.values()) if (id >= most) most = id + 1
  return most
}

/** Tells whether two vocabularies are the same, token by token and id by id. */
export function isSameVocabulary(a: LoadedTokenizer, b: LoadedTokenizer): boolean {
  if (a.ids.size !== b.ids.size) return false
  for (const [token, id] of a.ids) if (b.ids.get(token) !== id) return false
  return true
}

/** How a model turns queries and keys, applied to rows of its embedding. @throws SurgeonError 'surgeon-rope' */
export function rotationOf({
  checkpoint,
  label,
  embedding,
}: Pick<VocabularyModel, 'checkpoint' | 'label' | 'embedding'>) {
  const width = embedding.source.shape[1]!
  const settings = findSettings(checkpoint.config)
  const heads = Number(settings?.['num_attention_heads'])
  const headSize = width / heads
  const refuse = (problem: string) => new SurgeonError({ code: 'surgeon-rope', model: label, problem })
  if (settings === undefined || !Number.isInteger(headSize) || headSize % 2 !== 0)
    throw refuse(`has an embedding of ${width} columns, which its attention heads don't share in pairs`)
  const theta = findTheta(settings)
  if (theta === undefined) throw refuse('has none')
  return { headSize, theta }
}

/** Of a model of text and images, those of the language part. */
const findSettings = (config: ModelConfig | undefined): Readonly<Record<string, unknown>> | undefined =>
  config?.['num_attention_heads'] === undefined && isRecord(config?.['text_config']) ? config['text_config'] : config

/** Families that turn by 10,000 where config.json doesn't say. */
const silent = /^(?:llama|mistral|mixtral|qwen|gemma|phi|olmo|cohere|stablelm|starcoder2|falcon|gpt_neox|granite)/

function findTheta(settings: Readonly<Record<string, unknown>>): number | undefined {
  const parameters = settings['rope_parameters']
  const nested = isRecord(parameters) ? [parameters, ...Object.values(parameters).filter(isRecord)] : []
  const said = [...nested, settings].flatMap((part) => [part['rope_theta'], part['rotary_emb_base']])
  const theta = said.find((value): value is number => typeof value === 'number' && value > 1)
  return theta ?? (silent.test(String(settings['model_type'])) ? 10_000 : undefined)
}
