import { keysThatHold } from './config-keys.ts'
import type { ModelConfig, TensorFacts, TensorRole } from './layout.ts'
import { isBuffer } from './buffers.ts'
import { listSettings } from './settings.ts'

/** Matches the usual names of token embeddings. */
export const tokenEmbeddingPattern =
  /(?:^|\.)(?:embed_tokens|embed_tokens_per_layer|wte|word_embeddings?|tok_embeddings|token_embeddings?|tok_emb|embed_in|in_out_embed|(?:token_)?embd)\.weight$/
/** Names that other embeddings have too; the row count decides. */
const looseEmbeddingName = /(?:^|\.)(?:shared|embeddings?|emb|embed)\.weight$/
/** Matches the usual names of heads over the vocabulary. */
export const headPattern =
  /(?:^|\.)(?:lm_head|lm_head\.decoder|lm_head\.linear|embed_out|output_layer|vocab_projector|lm_loss|unembed|cls\.predictions\.decoder|predictions\.decoder|output_projection)\.weight$/
const looseHeadName = /(?:^|\.)(?:output|head|proj_out|decoder|linear|generator|logits)\.weight$/
const positionName =
  /(?:^|\.)(?:wpe|embed_positions|position_embeddings?|pos_embed(?:ding)?s?|positional_embedding(?:_vlm)?)(?:\.weight)?$/
const otherModality = /vision|visual|image|audio|speech/

export interface Vocabulary {
  /** Rows and columns of the main token embedding, where there is one. */
  readonly rowCount: number | undefined
  readonly columnCount: number | undefined
}

/** `vocab_size` as config.json says it, of the language part where there are several. */
export function vocabularySize(config: ModelConfig | undefined): number | undefined {
  const sizes = listSettings(config).filter(
    ({ key, value }) => vocabularyKeys.includes(key) && typeof value === 'number',
  )
  return sizes[0]?.value as number | undefined
}

const vocabularyKeys = keysThatHold('vocabulary')

export function isTokenEmbedding({ name, shape }: TensorFacts, vocabulary: number | undefined): boolean {
  if (shape.length !== 2 || otherModality.test(name)) return false
  if (tokenEmbeddingPattern.test(name)) return true
  return (
    looseEmbeddingName.test(name) &&
    (vocabulary === undefined || Math.abs(shape[0]! - vocabulary) <= Math.max(1024, vocabulary / 50))
  )
}

/** For families with names of their own: a matrix before the layers with exactly as many rows as there are tokens. */
export function mayBeTokenEmbedding({ name, shape }: TensorFacts, vocabulary: number | undefined): boolean {
  return shape.length === 2 && shape[0] === vocabulary && !otherModality.test(name) && !positionName.test(name)
}

/** The role of a tensor outside the layers that is no token embedding. */
export function roleOf(
  { name, shape }: TensorFacts,
  position: 'before' | 'after',
  { rowCount, columnCount }: Vocabulary,
): { role?: TensorRole; vocabularyAxis?: number } {
  if (isBuffer(name, shape)) return { role: 'buffer' }
  if (positionName.test(name)) return { role: 'position' }
  if (otherModality.test(name)) return {}
  const fits = shape.length === 2 && rowCount !== undefined && shape[0] === rowCount
  if (shape.length === 2 && headPattern.test(name)) return { role: 'head', vocabularyAxis: 0 }
  if (fits && (looseHeadName.test(name) || (position === 'after' && shape[1] === columnCount)))
    return { role: 'head', vocabularyAxis: 0 }
  const perToken =
    rowCount !== undefined && shape.at(-1) === rowCount && shape.slice(0, -1).every((length) => length === 1)
  if (perToken && position === 'after' && name.endsWith('bias'))
    return { role: 'head-bias', vocabularyAxis: shape.length - 1 }
  return {}
}
