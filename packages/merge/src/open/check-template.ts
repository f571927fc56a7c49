import { dirname } from 'node:path'
import { issueErrorOf } from '@mk/errors'
import {
  type IdDocuments,
  listTemplateMarks,
  type ModelTokenizer,
  parseTokenizer,
  tokensInTemplate,
} from '@mk/tokenizer'
import { readChatTemplate, readTokenizer } from '@mk/tokenizer/node'
import { listTokens } from './list-tokens.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { OutputVocabulary } from './output-vocabulary.ts'

/**
 * Finds marks that a chosen chat template writes and the output's vocabulary has no tokens for, so that they are split.
 * With `auto` those count that are tokens in the model whose template it is.
 * @returns a warning, or nothing
 */
export async function findSplitMarks(
  template: string,
  setting: string,
  vocabulary: OutputVocabulary,
  inputs: MergeInputs,
): Promise<readonly string[]> {
  const output = await outputTokenizer(vocabulary, inputs)
  if (output === undefined || !('ids' in output)) return []
  const others = await Promise.all(
    inputs.checkpoints.map(async ({ folder }, index) => {
      const tokenizer = folder === undefined ? undefined : await readIfSound(folder)
      if (folder === undefined || tokenizer === undefined || !('ids' in tokenizer)) return undefined
      const own = await readChatTemplate(folder)
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
): Promise<ModelTokenizer | undefined> {
  if (documents.some(({ name }) => name === 'tokenizer.json'))
    return parseTokenizer(new Map(documents.map(({ name, text }) => [name, text])))
  const copied = copies.find(({ name }) => name === 'tokenizer.json')
  if (rows !== undefined) return copied === undefined ? undefined : readIfSound(dirname(copied.from))
  const { folder } = checkpoints[donor]!
  return folder === undefined ? undefined : readIfSound(folder)
}

/** A tokenizer that is only looked at need not be sound: what reads it afterwards will say so. */
export const readIfSound = (folder: string, documents?: IdDocuments): Promise<ModelTokenizer | undefined> =>
  readTokenizer(folder, documents).catch((error: unknown) => {
    if (issueErrorOf(error) === undefined) throw error
    return undefined
  })
