import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { embeddingNames } from '@mk/architecture'
import type { MergeConfig } from '@mk/config'
import {
  explainDecision,
  explainNotice,
  planChatTemplateFiles,
  planVocabulary,
  resolveChatTemplate,
  resolveTokenizerSetting,
} from '@mk/tokenizer'
import { readChatTemplate, readTokenizer } from '@mk/tokenizer/node'
import { MergeError } from './errors.ts'
import type { MergeInputs } from './plan/merge-inputs.ts'
import { unchangedVocabulary, type VocabularyOutcome } from './vocabulary-outcome.ts'

export async function planVocabularyOf(
  config: MergeConfig,
  inputs: MergeInputs,
  copyTokenizer: boolean,
): Promise<VocabularyOutcome> {
  const outcome =
    config.tokenizer === undefined ? unchangedVocabulary : await planSetting(config.tokenizer, config, inputs)
  if (!copyTokenizer) return { ...outcome, files: [], copies: [] }
  if (config.chatTemplate === undefined) return outcome
  const models = await Promise.all(
    inputs.checkpoints.map(async ({ folder }) => ({
      chatTemplate: folder === undefined ? undefined : await readChatTemplate(folder),
    })),
  )
  const template = resolveChatTemplate(config.chatTemplate, models)
  if (template === undefined)
    return { ...outcome, warnings: [...outcome.warnings, 'chat_template is auto, but no model has a chat template'] }
  const written = planChatTemplateFiles(template, await templateFiles(outcome, inputs))
  const others = outcome.files.filter(({ name }) => !written.has(name))
  return {
    ...outcome,
    files: [...others, ...[...written].map(([name, text]) => ({ name, text }))],
    copies: outcome.copies.filter(({ name }) => !written.has(name)),
  }
}

async function planSetting(
  setting: NonNullable<MergeConfig['tokenizer']>,
  config: MergeConfig,
  inputs: MergeInputs,
): Promise<VocabularyOutcome> {
  const { labels } = inputs
  const resolved = resolveTokenizerSetting(
    setting,
    (model) => {
      const index = inputs.indexOf(model)
      return index < 0 ? undefined : index
    },
    labels,
  )
  const models = await Promise.all(
    inputs.checkpoints.map(async (_, index) => {
      const folder = folderOf(inputs, index)
      return {
        label: labels[index]!,
        embeddingRows: embeddingRows(inputs, index),
        tokenizer: await readTokenizer(folder),
      }
    }),
  )
  const plan = planVocabulary({
    models,
    setting: resolved,
    ...(config.baseModel !== undefined && { baseIndex: inputs.donor }),
  })
  return {
    rows: {
      kind: plan.kind,
      rowCount: plan.rowCount,
      segments: plan.models.map(({ segments }) => segments),
      embeddingRows: models.map((model) => model.embeddingRows),
    },
    files: [...plan.write].map(([name, text]) => ({ name, text })),
    copies: plan.copy.map((name) => ({ name, from: join(folderOf(inputs, plan.donor), name) })),
    omitted: new Set(models[inputs.donor]!.tokenizer.files),
    tokenIds: plan.tokenIds,
    decisions: plan.decisions.map((decision) => explainDecision(decision, labels)),
    warnings: [...plan.warnings, ...plan.notes].map((notice) => explainNotice(notice, labels)),
  }
}

function folderOf({ checkpoints, labels, locate }: MergeInputs, index: number): string {
  const { folder } = checkpoints[index]!
  if (folder !== undefined) return folder
  throw new MergeError({
    code: 'unsupported',
    what: `a tokenizer setting needs model folders, but ${labels[index]!} is a file of weights`,
    where: locate(['tokenizer']),
  })
}

function embeddingRows({ checkpoints, layouts, labels, locate }: MergeInputs, index: number): number {
  const embedding = checkpoints[index]!.tensors.get(embeddingNames(layouts[index]!)[0] ?? '')
  if (embedding !== undefined) return embedding.shape[0]!
  throw new MergeError({
    code: 'unsupported',
    what: `a tokenizer setting needs token embeddings, but none was found in ${labels[index]!}`,
    where: locate(['tokenizer']),
  })
}

/** The output's files that may hold a chat template, as they would be without one of the config's. */
async function templateFiles(
  { files, copies, omitted }: VocabularyOutcome,
  inputs: MergeInputs,
): Promise<ReadonlyMap<string, string>> {
  const donor = inputs.checkpoints[inputs.donor]!
  const found = new Map<string, string>()
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const written = files.find((file) => file.name === name)?.text
    const copied =
      copies.find((file) => file.name === name)?.from ??
      (donor.files.some((file) => file.name === name) && !omitted.has(name) ? join(donor.folder!, name) : undefined)
    const text = written ?? (copied === undefined ? undefined : await readFile(copied, 'utf8'))
    if (text !== undefined) found.set(name, text)
  }
  return found
}
