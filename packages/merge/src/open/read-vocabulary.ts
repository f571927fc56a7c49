import { embeddingNames } from '@mk/architecture'
import { isSystemError, systemReason } from '@mk/errors'
import type { CheckpointFile } from '@mk/checkpoint'
import type { MergeConfig, TokenizerConfig } from '@mk/config'
import {
  explainDecisions,
  explainNotice,
  namingFolder,
  parsedTokenizerFiles,
  planChatTemplateFiles,
  planVocabulary,
  readChatTemplateFrom,
  resolveChatTemplate,
  resolveTokenizerSetting,
} from '@mk/tokenizer'
import { decodeText, type FileStore, readBytes } from '@mk/source'
import { MergeError } from '../errors.ts'
import { findSplitMarks } from './check-template.ts'
import { refuseDisguised } from './refuse-disguised.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { filesElsewhere, smallFile, type SmallFile, takeFiles } from './small-files.ts'
import { type OutputVocabulary, unchangedVocabulary } from './output-vocabulary.ts'
import type { Tokenizers } from './read-tokenizers.ts'

/**
 * Reads the tokenizers and chat templates of the inputs, as far as the config has a setting for them, and decides what the
 * output gets.
 * @throws TokenizerError; MergeError 'no-model-folder', 'no-embedding'
 */
export async function readVocabulary(
  config: MergeConfig,
  { inputs, tokenizers }: InputsWithTokenizers,
  copyTokenizer: boolean,
): Promise<OutputVocabulary> {
  const { tokenizer, chatTemplate } = config
  const baseIndex = config.baseModel === undefined ? undefined : inputs.donor
  const vocabulary =
    tokenizer === undefined ? unchangedVocabulary : await readTokenizers(tokenizer, { inputs, tokenizers }, baseIndex)
  if (!copyTokenizer) return { ...vocabulary, documents: [], copies: [] }
  return chatTemplate === undefined ? vocabulary : withChatTemplate(vocabulary, chatTemplate, { inputs, tokenizers })
}

interface InputsWithTokenizers {
  readonly inputs: MergeInputs
  readonly tokenizers: Tokenizers
}

/** Other forms of a vocabulary are at most copied. */
const isRead = ({ name }: CheckpointFile): boolean => parsedTokenizerFiles.includes(name)

async function readTokenizers(
  config: TokenizerConfig,
  { inputs, tokenizers }: InputsWithTokenizers,
  baseIndex: number | undefined,
): Promise<OutputVocabulary> {
  const { labels } = inputs
  const where = inputs.locate([config.kind === 'average-rows' ? 'tokenizer_source' : 'tokenizer'])
  const setting = resolveTokenizerSetting(
    config,
    (model) => {
      const index = inputs.indexOf(model)
      return index < 0 ? undefined : index
    },
    labels,
  )
  const models = await Promise.all(
    labels.map(async (label, index) => {
      folderOf(inputs, index, where)
      refuseDisguised(inputs.checkpoints[index]!, isRead)
      return {
        label,
        embeddingRows: embeddingRows(inputs, index, where),
        tokenizer: (await tokenizers.read(index))!,
      }
    }),
  )
  const plan = planVocabulary({ models, setting, ...(baseIndex !== undefined && { baseIndex }) })
  const donor = inputs.checkpoints[plan.donor]!
  refuseDisguised(donor, ({ name }) => plan.copy.includes(name))
  const copied = plan.copy.map((name) => donor.files.find((file) => file.name === name) ?? { name, role: 'other' })
  const taken = takeFiles(donor, copied as readonly CheckpointFile[])
  return {
    rows: {
      kind: plan.kind,
      rowCount: plan.rowCount,
      segments: plan.models.map(({ segments }) => segments),
      embeddingRows: models.map((model) => model.embeddingRows),
    },
    documents: [...documentsOf(plan.write), ...taken.documents],
    copies: taken.copies,
    omitted: new Set(models[inputs.donor]!.tokenizer.files),
    tokenIds: plan.tokenIds,
    decisions: explainDecisions(plan.decisions, labels),
    notes: [...plan.warnings, ...plan.notes].map((notice) => explainNotice(notice, labels)),
    warnings: [],
    namesCutTokens: false,
  }
}

/** Lists texts without making them. */
const documentsOf = (texts: ReadonlyMap<string, string>): OutputVocabulary['documents'] =>
  [...texts.keys()].map((name) => ({
    name,
    get text() {
      return texts.get(name)!
    },
  }))

function folderOf({ checkpoints, labels }: MergeInputs, index: number, where: string): string {
  const { folder } = checkpoints[index]!
  if (folder !== undefined) return folder
  throw new MergeError({ code: 'no-model-folder', model: labels[index]!, where })
}

function embeddingRows({ checkpoints, layouts, labels }: MergeInputs, index: number, where: string): number {
  const embedding = checkpoints[index]!.tensors.get(embeddingNames(layouts[index]!)[0] ?? '')
  if (embedding !== undefined) return embedding.shape[0]!
  throw new MergeError({ code: 'no-embedding', model: labels[index]!, where })
}

async function withChatTemplate(
  vocabulary: OutputVocabulary,
  setting: string,
  { inputs, tokenizers }: InputsWithTokenizers,
): Promise<OutputVocabulary> {
  const models = await Promise.all(
    inputs.checkpoints.map(async (checkpoint) => {
      const { folder, gguf } = checkpoint
      const said = gguf?.metadata.get('tokenizer.chat_template')
      if (said?.type === 'string') return { chatTemplate: { text: said.value } }
      if (folder === undefined) return { chatTemplate: undefined }
      refuseDisguised(checkpoint, isRead)
      return { chatTemplate: await readChatTemplateFrom(inputs.store, folder, filesElsewhere(checkpoint)) }
    }),
  )
  const template = resolveChatTemplate(setting, models)
  if (template === undefined)
    return { ...vocabulary, notes: [...vocabulary.notes, 'chat_template is auto, but no model has a chat template'] }
  const existing = await readTemplateFiles(vocabulary, inputs)
  const donorFolder = inputs.checkpoints[inputs.donor]!.folder ?? inputs.labels[inputs.donor]!
  const written = namingFolder(donorFolder, () => planChatTemplateFiles(template, existing))
  const others = vocabulary.documents.filter(({ name }) => !written.has(name))
  return {
    ...vocabulary,
    warnings: [
      ...vocabulary.warnings,
      ...(await findSplitMarks(template, setting, vocabulary, { inputs, tokenizers })),
    ],
    documents: [...others, ...[...written].map(([name, text]) => ({ name, text }))],
    copies: vocabulary.copies.filter(({ name }) => !written.has(name)),
  }
}

/** tokenizer_config.json lists all added tokens. */
const templateFileBytes = 64 * 2 ** 20

async function readCopied(store: FileStore, file: string): Promise<string> {
  try {
    return decodeText(await readBytes(store, file, templateFileBytes))
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    throw new MergeError({ code: 'copy-unreadable', file, reason: systemReason(cause) }, { cause })
  }
}

/** Reads the output's files that may hold a chat template, as they would be without one of the config's. */
async function readTemplateFiles(
  { documents, copies, omitted }: OutputVocabulary,
  inputs: MergeInputs,
): Promise<ReadonlyMap<string, string>> {
  const donor = inputs.checkpoints[inputs.donor]!
  const found = new Map<string, string>()
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const written = documents.find((file) => file.name === name)?.text
    const from = copies.find((file) => file.name === name)?.from
    const own = omitted.has(name) ? undefined : donor.files.find((file) => file.name === name)
    const place: SmallFile | undefined = from === undefined ? own && smallFile(donor, own) : { file: from }
    const text =
      written ??
      (place === undefined ? undefined : 'text' in place ? place.text : await readCopied(inputs.store, place.file))
    if (text !== undefined) found.set(name, text)
  }
  return found
}
