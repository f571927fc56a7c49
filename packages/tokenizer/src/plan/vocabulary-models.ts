import { TokenizerError } from '../errors.ts'
import type { LoadedTokenizer, ModelTokenizer } from '../parse/model-tokenizer.ts'
import type { VocabularyModel } from './output-vocabulary.ts'
import { isSentencePiece } from '../tokenizer-files.ts'

/** A model of a merge, as far as planning vocabularies needs it. */
export interface VocabularyInput {
  /** How messages name the model. */
  readonly label: string
  readonly tokenizer: ModelTokenizer
  /** Rows of its embedding matrix; tokens with higher ids count as absent. */
  readonly embeddingRows: number
}

/** The inputs with their tokens; `assumed` are models without a tokenizer that are taken to have that of another. */
export interface VocabularyModels {
  readonly models: readonly VocabularyModel[]
  readonly assumed: readonly number[]
}

/**
 * Lists the tokens of each input. A model without any tokenizer file counts as having that of `fallback` if its matrix has as
 * many rows.
 *
 * @throws TokenizerError 'missing-tokenizer', 'sentencepiece-only'
 */
export function listVocabularyModels(inputs: readonly VocabularyInput[], fallback: number): VocabularyModels {
  const assumed: number[] = []
  const models = inputs.map((input, index) => {
    const other = inputs[fallback]!
    if (input.tokenizer.kind !== 'missing' || index === fallback) return vocabularyModel(input, loadedTokenizer(input))
    if (input.embeddingRows !== other.embeddingRows) throw missing(input)
    assumed.push(index)
    return vocabularyModel(input, loadedTokenizer(other))
  })
  return { models, assumed }
}

/** Gives the tokenizer of an input whose tokens are known. @throws TokenizerError 'missing-tokenizer', 'sentencepiece-only' */
export function loadedTokenizer({ label, tokenizer }: VocabularyInput): LoadedTokenizer {
  if (tokenizer.kind === 'missing') throw missing({ label, tokenizer })
  if (tokenizer.kind !== 'sentencepiece-only') return tokenizer
  throw new TokenizerError({
    code: 'sentencepiece-only',
    model: label,
    file: tokenizer.files.find(isSentencePiece)!,
  })
}

const missing = ({ label, tokenizer }: Pick<VocabularyInput, 'label' | 'tokenizer'>): TokenizerError =>
  new TokenizerError({ code: 'missing-tokenizer', model: label, found: tokenizer.files })

function vocabularyModel(
  { label, embeddingRows }: VocabularyInput,
  { ids, tokens, added }: LoadedTokenizer,
): VocabularyModel {
  return { label, embeddingRows, tokens: withRows(tokens, embeddingRows), ids, added }
}

/** Cuts off tokens without a row, up to the last one that has one. */
function withRows(tokens: readonly (string | undefined)[], embeddingRows: number): readonly (string | undefined)[] {
  if (tokens.length <= embeddingRows) return tokens
  let count = embeddingRows
  while (count > 0 && tokens[count - 1] === undefined) count--
  return tokens.slice(0, count)
}

/**
 * Tells whether all models have one and the same sentencepiece model, byte for byte, and so need no look into it to keep it.
 */
export function shareSentencePiece(inputs: readonly VocabularyInput[]): boolean {
  const [first] = inputs
  return inputs.every(
    ({ tokenizer }) =>
      tokenizer.kind === 'sentencepiece-only' &&
      tokenizer.fingerprint !== '' &&
      first?.tokenizer.kind === 'sentencepiece-only' &&
      tokenizer.fingerprint === first.tokenizer.fingerprint,
  )
}
