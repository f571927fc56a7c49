import { embeddingNames, reviseConfig } from '@mk/architecture'
import { join } from 'node:path'
import { type FileRole, formatPythonJson, type JsonDocument } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import { elementCount } from '@mk/safetensors'
import type { TokenIdChange } from '@mk/tokenizer'
import { nameOfDtype } from './dtypes.ts'
import type { EmbeddingPlan } from './plan-embeddings.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { MergePlan } from './merge-plan.ts'
import { modelCard } from './model-card.ts'
import type { PlannedModule } from './plan-slices.ts'

export interface DocumentOptions {
  /** The YAML as the user wrote it. */
  readonly configText: string
  readonly copyTokenizer: boolean
  readonly writeModelCard: boolean
  /** Tokenizer files made for the output, and those taken from another model than the donor. */
  readonly tokenizerFiles: MergePlan['documents']
  readonly tokenizerCopies: MergePlan['copies']
  /** Donor files that must not be copied, since what they say no longer holds. */
  readonly omitted: ReadonlySet<string>
  /** Ids in config.json and generation_config.json that the new vocabulary changes. */
  readonly tokenIds: readonly TokenIdChange[]
}

interface Context extends DocumentOptions {
  readonly plan: Omit<MergePlan, 'documents' | 'copies' | 'notes'>
  readonly index: string | undefined
  readonly modules: readonly PlannedModule[]
  readonly embeddings: EmbeddingPlan
  readonly notes: readonly string[]
}

const tokenizerRoles: readonly FileRole[] = ['vocabulary', 'tokenizer-settings', 'chat-template']

/** The small files of the output: what is written anew, and what is copied from the donor. */
export function planDocuments(
  config: MergeConfig,
  inputs: MergeInputs,
  context: Context,
): Pick<MergePlan, 'documents' | 'copies'> {
  const donor = inputs.checkpoints[inputs.donor]!
  const documents = [...context.tokenizerFiles]
  const add = (name: string, text: string | undefined) => {
    if (text !== undefined) documents.push({ name, text })
  }
  add('model.safetensors.index.json', context.index)
  add('config.json', outputConfig(inputs, context))
  const generation = donor.documents.get('generation_config.json')
  if (generation !== undefined && context.tokenIds.some(({ file }) => file === generation.name))
    add(generation.name, jsonText(generation, generation.value, context.tokenIds))
  add('mergekit_config.yml', context.configText)
  if (context.writeModelCard) add('README.md', modelCard(config, inputs, context))
  const written = new Set(documents.map(({ name }) => name))
  const ofDonor = donor.files
    .filter(
      ({ name, role }) =>
        !written.has(name) && !context.omitted.has(name) && (context.copyTokenizer || !tokenizerRoles.includes(role)),
    )
    .map(({ name }) => ({ name, from: join(donor.folder!, name) }))
  return { documents, copies: [...context.tokenizerCopies.filter(({ name }) => !written.has(name)), ...ofDonor] }
}

function outputConfig(inputs: MergeInputs, context: Context): string | undefined {
  const { plan, modules, embeddings, tokenIds } = context
  const donor = inputs.checkpoints[inputs.donor]!
  const original = donor.documents.get('config.json')
  if (donor.config === undefined || original === undefined) return undefined
  const embeddingName = embeddingNames(inputs.layouts[inputs.donor]!)[0]
  const embedding = plan.tensors.find(({ name }) => name === embeddingName)
  const dtype = commonestDtype(plan.tensors)
  const revised = reviseConfig(donor.config, {
    layers: modules.map(({ module, sourceLayers }) => ({ module, sourceLayers })),
    tied: embeddings.tied,
    dequantized: [...donor.tensors.values()].some(({ kind }) => kind === 'dequantized'),
    ...(embedding !== undefined && { vocabularySize: embedding.shape[0]! }),
    ...(dtype !== undefined && { dtype }),
  })
  return jsonText(original, revised, tokenIds)
}

/** Numbers that stay are written as they stand in the original. */
const jsonText = (
  { name, text }: JsonDocument,
  value: Readonly<Record<string, unknown>>,
  changes: readonly TokenIdChange[],
): string => formatPythonJson(withTokenIds(value, name, changes), text)

function withTokenIds(
  config: Readonly<Record<string, unknown>>,
  file: TokenIdChange['file'],
  changes: readonly TokenIdChange[],
): Readonly<Record<string, unknown>> {
  const revised = structuredClone(config) as Record<string, unknown>
  for (const { path, to } of changes.filter((change) => change.file === file)) {
    let part = revised
    for (const key of path.slice(0, -1)) part = part[key] as Record<string, unknown>
    part[path.at(-1)!] = to
  }
  return revised
}

/** The name of the floating-point dtype that most elements have. */
function commonestDtype(tensors: MergePlan['tensors']): string | undefined {
  const counts = new Map<string, number>()
  for (const { dtype, shape } of tensors) {
    const name = nameOfDtype(dtype)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + elementCount(shape))
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}
