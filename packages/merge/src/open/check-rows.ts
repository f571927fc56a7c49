import { embeddingNames } from '@mk/architecture'
import { type LoadedTokenizer, listTokensBeyond, type ModelTokenizer, tokensInTemplate } from '@mk/tokenizer'
import { MergeError } from '../errors.ts'
import { listTokens } from './list-tokens.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { OutputVocabulary } from './output-vocabulary.ts'
import type { Tokenizers } from './read-tokenizers.ts'

/**
 * Names the tokens of the donor's tokenizer that have no row in an output whose embedding was cut, what is told by them, and the
 * line of the recipe that keeps them.
 * @param rowCount of the output's embedding
 * @param allowed whether a chat template that writes such tokens is only warned of
 * @throws MergeError 'template-without-rows'
 */
export async function nameCutTokens(
  vocabulary: OutputVocabulary,
  { inputs, tokenizers }: { readonly inputs: MergeInputs; readonly tokenizers: Tokenizers },
  rowCount: number,
  allowed: boolean,
): Promise<OutputVocabulary> {
  const { labels, donor } = inputs
  const tokenizer = await tokenizers.readIfSound(donor)
  if (tokenizer === undefined) return vocabulary
  const tokens = listTokensBeyond(tokenizer, rowCount)
  const ids = idsBeyond(tokenizer, rowCount)
  if (tokens.length === 0)
    return ids.length === 0
      ? vocabulary
      : withWarning(vocabulary, [
          `${labels[donor]}: its embedding is cut to ${rowCount} rows${becauseOf(inputs, rowCount)}`,
          ...ids,
        ])
  const template =
    vocabulary.documents.find(({ name }) => name === 'chat_template.jinja')?.text ?? tokenizer.chatTemplate?.text ?? ''
  const written = tokensInTemplate(template, tokens)
  const cut = `${tokens.length === 1 ? 'a token' : `${tokens.length} tokens`} of ${labels[donor]} ${tokens.length === 1 ? 'has' : 'have'} no row in the output: ${listTokens(tokens)}; its embedding is cut to ${rowCount} rows${becauseOf(inputs, rowCount)}`
  const remedy = await remedyOf(inputs, tokenizers)
  if (written.length > 0 && !allowed)
    throw new MergeError({ code: 'template-without-rows', model: labels[donor]!, tokens: written, cut, remedy })
  const consequences = [
    ...(written.length > 0 ? [`the chat template writes ${listTokens(written)}, so that a chat fails`] : []),
    ...rolesOf(tokenizer, new Set(tokens)),
    ...ids,
  ]
  return { ...withWarning(vocabulary, [cut, ...consequences, remedy]), namesCutTokens: true }
}

const withWarning = (vocabulary: OutputVocabulary, parts: readonly string[]): OutputVocabulary => ({
  ...vocabulary,
  warnings: [...vocabulary.warnings, parts.join('; ')],
})

/** Names a model that has no more rows. */
function becauseOf({ labels, checkpoints, layouts }: MergeInputs, rowCount: number): string {
  const index = checkpoints.findIndex(
    ({ tensors }, input) => tensors.get(embeddingNames(layouts[input]!)[0] ?? '')?.shape[0] === rowCount,
  )
  return index < 0 ? '' : `, as ${labels[index]} has no more`
}

async function remedyOf({ labels, donor }: MergeInputs, tokenizers: Tokenizers): Promise<string> {
  const line = "'tokenizer: {source: base}' in the recipe keeps them"
  const lacking: string[] = []
  for (const [index, label] of labels.entries())
    if (index !== donor && !isLoaded(await tokenizers.readIfSound(index))) lacking.push(label)
  return lacking.length === 0 ? line : `${line}, once ${lacking.join(' and ')} has a tokenizer.json`
}

const isLoaded = (tokenizer: ModelTokenizer | undefined): tokenizer is LoadedTokenizer =>
  tokenizer !== undefined && 'ids' in tokenizer

const rolesOf = ({ specialTokens }: ModelTokenizer, cut: ReadonlySet<string>): string[] =>
  [...specialTokens].flatMap(([role, token]) => (cut.has(token) ? [`${role} is ${JSON.stringify(token)}`] : []))

const idsBeyond = ({ tokenIds }: ModelTokenizer, rowCount: number): string[] =>
  tokenIds.flatMap(({ file, path, ids }) => {
    const beyond = [ids].flat().filter((id) => id >= rowCount)
    return beyond.length === 0 ? [] : [`${path.join('.')} of ${file} is ${beyond.join(', ')}`]
  })
