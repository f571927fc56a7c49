import type { Checkpoint } from '@mk/checkpoint'
import { folderOfPath } from '@mk/source'
import { listTemplateMarks, type ModelTokenizer, parseTokenizer, tokensInTemplate } from '@mk/tokenizer'
import { listTokens } from './list-tokens.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { OutputVocabulary } from './output-vocabulary.ts'
import type { Tokenizers } from './read-tokenizers.ts'

/**
 * Finds marks that a chosen chat template writes and the output's vocabulary has no tokens for, so that they are split.
 * With `auto` those count that are tokens in the model whose template it is.
 * @returns a warning, or nothing
 */
export async function findSplitMarks(
  template: string,
  setting: string,
  vocabulary: OutputVocabulary,
  { inputs, tokenizers }: { readonly inputs: MergeInputs; readonly tokenizers: Tokenizers },
): Promise<readonly string[]> {
  const output = await outputTokenizer(vocabulary, inputs, tokenizers)
  if (output === undefined || !('ids' in output)) return []
  const others = await Promise.all(
    inputs.checkpoints.map(async (_, index) => {
      const tokenizer = await tokenizers.readIfSound(index)
      if (tokenizer === undefined || !('ids' in tokenizer)) return undefined
      const own = tokenizer.chatTemplate
      const tokens = new Set(
        [...listTemplateMarks(template), ...tokensInTemplate(template, [...tokenizer.added.keys()])].filter((mark) =>
          tokenizer.ids.has(mark),
        ),
      )
      return { label: inputs.labels[index]!, hasTemplate: own?.text.trim() === template, tokens }
    }),
  )
  const known = others.filter((other) => other !== undefined)
  const candidates = new Set([
    ...(setting === 'auto' ? [] : listTemplateMarks(template)),
    ...known.filter(({ hasTemplate }) => setting !== 'auto' || hasTemplate).flatMap(({ tokens }) => [...tokens]),
  ])
  const missing = [...candidates].filter((mark) => !output.ids.has(mark))
  if (missing.length === 0) return []
  const owner = known.find(({ tokens }) => missing.every((mark) => tokens.has(mark)))
  const remedy =
    owner === undefined
      ? 'choose a template that the models were trained with'
      : `'tokenizer: {source: union}' in the recipe adds those of ${owner.label}`
  return [
    `chat_template writes ${listTokens(missing)}, which ${missing.length === 1 ? 'is no token' : 'are no tokens'} of the output's vocabulary, so that ${missing.length === 1 ? 'it is' : 'they are'} split into pieces; ${remedy}`,
  ]
}

/** The tokenizer that the output has. */
async function outputTokenizer(
  { documents, copies, rows }: OutputVocabulary,
  { checkpoints, donor }: MergeInputs,
  tokenizers: Tokenizers,
): Promise<ModelTokenizer | undefined> {
  if (documents.some(({ name }) => name === 'tokenizer.json'))
    return parseTokenizer(new Map(documents.map(({ name, text }) => [name, text])))
  const copied = copies.find(({ name }) => name === 'tokenizer.json')
  if (rows === undefined) return tokenizers.readIfSound(donor)
  const isCopied = ({ folder, files }: Checkpoint) =>
    copied !== undefined &&
    (folder === folderOfPath(copied.from) ||
      files.some(({ elsewhere }) => elsewhere !== undefined && 'file' in elsewhere && elsewhere.file === copied.from))
  const owner = copied && checkpoints.findIndex(isCopied)
  return owner === undefined || owner < 0 ? undefined : tokenizers.readIfSound(owner)
}
