import { embeddingNames, isTied, perLayerEmbeddingName, reviseConfig } from '@mk/architecture'
import type { FileRole, JsonDocument } from '@mk/checkpoint'
import { fileRole, formatPythonJson } from '@mk/checkpoint/portable'
import type { DtypeName } from '@mk/config'
import { elementCount } from '@mk/safetensors'
import { joinPath, nameOfPath } from '@mk/source'
import type { TokenIdChange } from '@mk/tokenizer'
import { refuseDisguised } from '../open/refuse-disguised.ts'
import { takeFiles, type TakenFiles } from '../open/small-files.ts'
import { tokenizerRoles } from '../open/tokenizer-roles.ts'
import { nameOfDtype } from './dtypes.ts'
import type { PlannedModule } from './list-output-tensors.ts'
import type { MergePlan, PlannedTensor } from './merge-plan.ts'
import { type CardFacts, modelCard } from './model-card.ts'
import { outputNames } from './output-names.ts'
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

/** Plans the small files of the output that are written anew. */
export function planDocuments(
  context: PlanContext,
  weights: PlannedWeights,
  taken: TakenFiles,
): MergePlan['documents'] {
  const { options } = context
  const documents = [...options.vocabulary.documents, ...taken.documents]
  const add = (name: string, text: string | undefined) => {
    if (text !== undefined) documents.push({ name, text })
  }
  add(outputNames.index, weights.index)
  add(outputNames.config, outputConfig(context, weights))
  add(generationName, outputGenerationConfig(context))
  add(outputNames.recipe, options.text)
  if (options.writeModelCard) add(outputNames.card, modelCard(context, cardFacts(weights, documents, taken.copies)))
  return documents
}

const generationName = 'generation_config.json'

/**
 * Plans the small files that are taken as they are: those of the donor, of the vocabulary, and the module of a method of the user's own.
 * Those of a donor that is a merge itself are texts.
 */
export function planTakenFiles(context: PlanContext): TakenFiles {
  const { inputs, options } = context
  const { vocabulary } = options
  const written = new Set(vocabulary.documents.map(({ name }) => name))
  if (outputGenerationConfig(context) !== undefined) written.add(generationName)
  const donor = inputs.checkpoints[inputs.donor]!
  const copied = donor.files.filter(
    ({ name, role }) =>
      !written.has(name) && !vocabulary.omitted.has(name) && (options.copyTokenizer || !tokenizerRoles.includes(role)),
  )
  const optional: readonly FileRole[] = ['generation', 'other']
  refuseDisguised(donor, (file) => copied.includes(file) && !optional.includes(file.role))
  for (const { name, disguise } of copied)
    if (disguise !== undefined)
      context.notes.add({ code: 'file-left-out', file: joinPath(donor.folder!, name), disguise })
  const ofDonor = takeFiles(
    donor,
    copied.filter(({ disguise }) => disguise === undefined),
  )
  const copies = [...vocabulary.copies.filter(({ name }) => !written.has(name)), ...ofDonor.copies]
  const taken = new Set([...written, ...[...copies, ...ofDonor.documents].map(({ name }) => name)])
  return { documents: ofDonor.documents, copies: [...copies, ...methodCopies(context, taken)] }
}

/**
 * A method of the user's own goes beside the card, since the recipe says nothing without it; beside a GGUF nothing could tell it
 * from a file of someone else's.
 */
function methodCopies({ config, methods, options }: PlanContext, taken: ReadonlySet<string>): MergePlan['copies'] {
  if (!options.writeModelCard || config.outFormat === 'gguf') return []
  const files = methods.flatMap(({ file }) => file ?? [])
  const named = new Map(files.map((from) => [nameOfPath(from), from]))
  return [...named].flatMap(([name, from]) => (taken.has(name) ? [] : [{ name, from }]))
}

function cardFacts(
  { plan }: PlannedWeights,
  documents: MergePlan['documents'],
  copies: MergePlan['copies'],
): CardFacts {
  const fileNames = new Set([...documents, ...copies].map(({ name }) => name))
  return {
    method: plan.method,
    tensors: plan.tensors,
    fileNames,
    hasTokenizer: [...fileNames].some((name) => fileRole(name) === 'vocabulary'),
  }
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
export function outputGenerationConfig({ inputs, options }: PlanContext): string | undefined {
  const original = inputs.checkpoints[inputs.donor]!.documents.get(generationName)
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

/** Puts the ids of another vocabulary into a config file. */
export function withTokenIds(
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
export function commonestDtype(tensors: readonly Pick<PlannedTensor, 'dtype' | 'shape'>[]): DtypeName | undefined {
  const counts = new Map<DtypeName, number>()
  for (const { dtype, shape } of tensors) {
    const name = nameOfDtype(dtype)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + elementCount(shape))
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}
