import { embeddingNames, isTied, perLayerEmbeddingName, reviseConfig } from '@mk/architecture'
import { join } from 'node:path'
import { type FileRole, formatPythonJson, type JsonDocument } from '@mk/checkpoint'
import type { DtypeName } from '@mk/config'
import { elementCount } from '@mk/safetensors'
import type { TokenIdChange } from '@mk/tokenizer'
import { refuseDisguised } from '../open/refuse-disguised.ts'
import { tokenizerRoles } from '../open/tokenizer-roles.ts'
import { nameOfDtype } from './dtypes.ts'
import type { PlannedModule } from './list-output-tensors.ts'
import type { MergePlan } from './merge-plan.ts'
import { modelCard } from './model-card.ts'
import type { PlanContext } from './plan-context.ts'
import type { EmbeddingPlan } from './plan-embeddings.ts'

/** The part of a plan that its small files depend on. */
export interface PlannedWeights {
  readonly plan: Omit<MergePlan, 'documents' | 'copies' | 'notes' | 'warnings'>
  /** The text of model.safetensors.index.json; undefined for a single file. */
  readonly index: string | undefined
  readonly modules: readonly PlannedModule[]
  readonly embeddings: EmbeddingPlan
}

/** Plans the small files of the output: what is written anew, and what is copied from the donor. */
export function planDocuments(context: PlanContext, weights: PlannedWeights): Pick<MergePlan, 'documents' | 'copies'> {
  const { inputs, options } = context
  const { vocabulary } = options
  const documents = [...vocabulary.documents]
  const add = (name: string, text: string | undefined) => {
    if (text !== undefined) documents.push({ name, text })
  }
  add('model.safetensors.index.json', weights.index)
  add('config.json', outputConfig(context, weights))
  add('generation_config.json', outputGenerationConfig(context))
  add('mergekit_config.yml', options.text)
  if (options.writeModelCard) add('README.md', modelCard(context, weights.plan))
  const written = new Set(documents.map(({ name }) => name))
  const donor = inputs.checkpoints[inputs.donor]!
  const copied = donor.files.filter(
    ({ name, role }) =>
      !written.has(name) && !vocabulary.omitted.has(name) && (options.copyTokenizer || !tokenizerRoles.includes(role)),
  )
  const optional: readonly FileRole[] = ['generation', 'other']
  refuseDisguised(donor, (file) => copied.includes(file) && !optional.includes(file.role))
  for (const { name, disguise } of copied)
    if (disguise !== undefined) context.notes.add({ code: 'file-left-out', file: join(donor.folder!, name), disguise })
  const ofDonor = copied
    .filter(({ disguise }) => disguise === undefined)
    .map(({ name }) => ({ name, from: join(donor.folder!, name) }))
  return { documents, copies: [...vocabulary.copies.filter(({ name }) => !written.has(name)), ...ofDonor] }
}

function outputConfig(
  { inputs, options }: PlanContext,
  { plan, modules, embeddings }: PlannedWeights,
): string | undefined {
  const donor = inputs.checkpoints[inputs.donor]!
  const original = donor.documents.get('config.json')
  if (donor.config === undefined || original === undefined) return undefined
  const layout = inputs.layouts[inputs.donor]!
  const rowCounts = (name: string | undefined) => ({
    to: plan.tensors.find((tensor) => tensor.name === name)?.shape[0],
    from: name === undefined ? undefined : donor.tensors.get(name)?.shape[0],
  })
  const vocabulary = rowCounts(embeddingNames(layout)[0])
  const perLayer = rowCounts(perLayerEmbeddingName(layout))
  const dtype = commonestDtype(plan.tensors)
  const revised = reviseConfig(donor.config, {
    layers: modules,
    ...(embeddings.tied !== isTied(donor.config, layout) && { tied: embeddings.tied }),
    dequantized: [...donor.tensors.values()].some(({ kind }) => kind === 'dequantized'),
    ...(vocabulary.to !== undefined && { vocabularySize: vocabulary.to }),
    ...(vocabulary.from !== undefined && { donorVocabularySize: vocabulary.from }),
    ...(perLayer.to !== undefined && perLayer.to !== perLayer.from && { perLayerVocabularySize: perLayer.to }),
    ...(dtype !== undefined && { dtype }),
  })
  return jsonText(original, revised, options.vocabulary.tokenIds)
}

/** Undefined where the donor's is copied as it is. */
function outputGenerationConfig({ inputs, options }: PlanContext): string | undefined {
  const original = inputs.checkpoints[inputs.donor]!.documents.get('generation_config.json')
  const { tokenIds } = options.vocabulary
  if (original === undefined || !tokenIds.some(({ file }) => file === original.name)) return undefined
  return jsonText(original, original.value, tokenIds)
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
export function commonestDtype(tensors: MergePlan['tensors']): DtypeName | undefined {
  const counts = new Map<DtypeName, number>()
  for (const { dtype, shape } of tensors) {
    const name = nameOfDtype(dtype)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + elementCount(shape))
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}
