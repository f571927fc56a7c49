import { describeCheckpoint, embeddingNames, headNames, isTied } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { fileRole } from '@mk/checkpoint/portable'
import type { MergeConfig } from '@mk/config'
import { adapterConfig, type ExtractionPlan, factorNames, nameInClass, planExtraction } from '@mk/lora/portable'
import type { MethodDefinition } from '@mk/methods'
import { layoutFile } from '@mk/safetensors'
import { mergedSources, type TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { haveSameBytes, isAwaited } from '../open/compare-stored-heads.ts'
import { tokenizerRoles } from '../open/tokenizer-roles.ts'
import type {
  MergePlan,
  Operation,
  PlannedStage,
  PlannedTensor,
  PlannedTensorInput,
  WeightGroup,
} from '../plan/merge-plan.ts'
import { adapterFileName, formatRecord, outputNames, tellsUse } from '../plan/output-names.ts'
import type { UnplacedTensor } from '../plan/plan-files.ts'
import { groupWeights, type PlannedWeights } from '../plan/weight-groups.ts'
import { withStages } from '../stages/prune-stages.ts'
import { stageCheckpoint, stageTensors } from '../stages/stage-checkpoint.ts'
import { type ChangeContext, describeChange, type TensorChange } from './describe-change.ts'
import { type OpenBase, openBase } from './open-base.ts'
import { planFactors, stageName } from './plan-factors.ts'

/** What the plan of a folder doesn't say of an adapter. */
export interface AdapterRequest {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  readonly methods: ReadonlyMap<string, MethodDefinition>
}

/**
 * Turns the plan of a folder of safetensors into that of an adapter for the base: for each module that the merge changes two factors, and
 * whole what PEFT has no factors for. Changes that are sums of products of adapters stay such; others are decomposed while they stream.
 * @throws MergeError 'adapter-…'; LoraError 'extract-…' where merge and base don't correspond
 */
export async function planAdapter(given: MergePlan, request: AdapterRequest): Promise<MergePlan> {
  const groups = groupWeights(given)
  const plan = { ...given, tensors: given.tensors.map((tensor) => withGroup(tensor, groups)) }
  const { config, inputs, methods } = request
  const base = openBase(config, inputs)
  const stage = { name: stageName, plan, inputs, rounds: false }
  const merged = stageCheckpoint(stage)
  const facts = plan.tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype }))
  const layout = describeCheckpoint(facts, merged.config)
  const withHead = withTiedHead(base, headNames(layout))
  const changes = new Map<string, TensorChange>()
  const roleOf = new Map(layout.modules.flatMap(({ tensors }) => tensors.map(({ name, role }) => [name, role])))
  const isOfTokens = (name: string) => ['embedding', 'position', 'head'].includes(roleOf.get(name) ?? '')
  // Factors of nothing are small; what is saved whole is not.
  const isBase: ChangeContext['isBase'] = ({ name, shape }, root, source) =>
    (isOfTokens(name) || shape.length !== 2) && isSameTensor(inputs, root, source)
  const context = { plan, methods, space: config.adapterSpace ?? 'products', isBase }
  for (const tensor of plan.tensors)
    changes.set(tensor.name, await describeChange(tensor, withHead.tensors.get(tensor.name), context))
  const hasChanged = (name: string): boolean => changes.get(name)!.kind !== 'none'

  const hasFactors = (name: string) => isOfFactors(changes.get(name)!)
  const wholeTokens = facts.filter(({ name }) => isOfTokens(name) && hasChanged(name) && !hasFactors(name))
  const extraction = planExtraction({ ...merged, reference: { path: 'the merge', adapters: [] } }, withHead, {
    embedLora: true,
    saveModules: wholeTokens.map(({ name }) => moduleOf(name)),
  })
  const decomposed = extraction.decomposed.filter(({ name }) => hasChanged(name))
  const whole = extraction.whole.filter(({ tensors }) => tensors.some(({ name }) => hasChanged(name)))
  const biases = extraction.decomposed.flatMap(({ name, bias }) =>
    bias !== undefined && hasChanged(bias.name) ? [{ name: bias.name, isAdapted: hasChanged(name) }] : [],
  )
  const wholeModules = whole.flatMap(({ module }) =>
    module === extraction.tiedHead?.embedding ? [module, extraction.tiedHead.module] : [module],
  )
  if (decomposed.length === 0)
    throw new MergeError({ code: 'adapter-empty', base: base.label, whole: [...wholeModules, ...biases.map(nameOf)] })

  const planned = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]))
  const found = decomposed.map((module) => {
    const change = changes.get(module.name)!
    return { module, factors: planFactors(module, change, planned.get(module.name)!, config) }
  })
  const tensors: UnplacedTensor[] = found.flatMap(({ module, factors: { rank, dtype, change, inputs: own } }) => {
    const [rows, columns] = module.fine.shape as readonly [number, number]
    const [input, output] = module.transposed ? [rows, columns] : [columns, rows]
    const { a, b } = factorNames(nameInClass(extraction, module.module), module)
    const operation: Operation = { kind: 'factors', other: b, inputs: own, change }
    return [
      { name: a, dtype, shape: [rank, input], operation },
      { name: b, dtype, shape: [output, rank], operation: { kind: 'other-factor', of: a } },
    ]
  })
  const put = (name: string, inAdapter: string) => {
    const { dtype, shape, operation } = planned.get(name)!
    tensors.push({ name: `base_model.model.${nameInClass(extraction, inAdapter)}`, dtype, shape, operation })
  }
  for (const { name, isAdapted } of biases) put(name, isAdapted ? name.replace(/bias$/, 'base_layer.bias') : name)
  for (const { module, tensors: own } of whole)
    for (const { name } of own) {
      put(name, name)
      if (module === extraction.tiedHead?.embedding)
        put(name, `${extraction.tiedHead.module}${name.slice(module.length)}`)
    }
  const ranks = new Map(found.map(({ module, factors }) => [module.module, factors.rank]))
  const own = { ...extraction, fanInFanOut: decomposed.some((one) => one.transposed && !one.isEmbedding) }
  const settings = adapterConfig({
    plan: own,
    basePath: base.path,
    ranks,
    whole: wholeModules,
    hasBias: biases.length > 0,
  })
  const files = smallFiles(plan, request, extraction.vocabulary !== undefined)
  const documents = [
    ...files.documents,
    { name: outputNames.adapterConfig, text: `${JSON.stringify(settings, undefined, 2)}\n` },
  ]
  return withStages(
    {
      ...plan,
      ...placeTensors(tensors, files.copies),
      ...(groups.length > 0 && { counted: groups.map(withoutOperations) }),
      documents,
      copies: files.copies,
      notes: [...plan.notes, ...notesOf(extraction, hasChanged)],
    },
    [plannedStage(stage, changes)],
    methods,
  )
}

/** The merge has all tensors that norms are counted of, the adapter only what changes. */
function withGroup(tensor: PlannedTensor, groups: readonly PlannedWeights[]): PlannedTensor {
  const { operation } = tensor
  const counted = groups.findIndex(({ operations }) => operations.has(operation))
  return counted < 0 || operation.kind !== 'merge' ? tensor : { ...tensor, operation: { ...operation, counted } }
}

function withoutOperations(planned: PlannedWeights): WeightGroup {
  const { operations: _, ...group } = planned
  return group
}

const nameOf = ({ name }: { readonly name: string }) => name
const moduleOf = (tensor: string): string => tensor.slice(0, Math.max(0, tensor.lastIndexOf('.')))

/** Weights that are yet to be downloaded are taken to be others; when they have come, it is planned again. */
const isSameTensor = (inputs: MergeInputs, { input, source }: PlannedTensorInput, base: TensorSource): boolean =>
  source.dtype === base.dtype &&
  source.shape.join() === base.shape.join() &&
  mergedSources([source, base]).length === 0 &&
  !isAwaited(inputs, input) &&
  !isAwaited(inputs, inputs.donor) &&
  haveSameBytes(inputs.store, source, base)

/** A head that only the merge has stands, in the base, for the embedding that is tied to it. */
function withTiedHead({ checkpoint, layout }: OpenBase, heads: readonly string[]): Checkpoint {
  const [head] = heads
  const embedding = checkpoint.tensors.get(embeddingNames(layout)[0] ?? '')
  const isFree = head !== undefined && !checkpoint.tensors.has(head) && isTied(checkpoint.config, layout)
  const tensors =
    isFree && embedding !== undefined ? new Map([...checkpoint.tensors, [head, embedding]]) : checkpoint.tensors
  return { ...checkpoint, tensors, notes: [] }
}

/** Tells whether a change comes from factors alone. Those of embeddings and heads that don't are saved whole. */
const isOfFactors = (change: TensorChange): boolean =>
  change.kind === 'difference'
    ? change.isChange
    : change.kind === 'task-vectors'
      ? change.isOverZero
      : change.kind !== 'none' && change.kind !== 'whole'

/** The merge as one that is read, of what is decomposed. */
function plannedStage(
  stage: Parameters<typeof stageTensors>[0],
  changes: ReadonlyMap<string, TensorChange>,
): PlannedStage {
  const { plan } = stage
  return {
    name: stageName,
    method: plan.method,
    inputs: plan.inputs,
    tensors: stageTensors(stage).map((tensor) => {
      const change = changes.get(tensor.name)
      return change?.kind === 'difference' ? { ...tensor, operation: change.operation } : tensor
    }),
  }
}

function placeTensors(
  tensors: readonly UnplacedTensor[],
  copies: MergePlan['copies'],
): Pick<MergePlan, 'files' | 'tensors'> {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const recorded = copies.map(nameOf).filter((name) => !tellsUse(name))
  const metadata = { format: 'pt', ...formatRecord(recorded) }
  const layout = layoutFile(sorted, metadata)
  const byteStarts = new Map(layout.tensors.map(({ name, byteStart }) => [name, byteStart]))
  return {
    files: [{ name: adapterFileName, fileBytes: layout.fileBytes, format: 'safetensors', metadata }],
    tensors: sorted.map((tensor) => ({ ...tensor, file: 0, byteStart: byteStarts.get(tensor.name)! })),
  }
}

/** The base has config and tokenizer, unless the vocabulary is another one; methods of the user's own go beside the recipe. */
function smallFiles(
  { documents, copies }: MergePlan,
  { config, methods }: AdapterRequest,
  isResized: boolean,
): Pick<MergePlan, 'documents' | 'copies'> {
  const ofCard: readonly string[] = [outputNames.card, outputNames.recipe]
  const ownMethods = new Set([...methods.values()].flatMap(({ file }) => file ?? []))
  const hasTokenizer = isResized || config.tokenizer !== undefined || config.chatTemplate !== undefined
  const isKept = (name: string) =>
    ofCard.includes(name) || (hasTokenizer && tokenizerRoles.some((role) => role === fileRole(name)))
  return {
    documents: documents.filter(({ name }) => isKept(name)),
    copies: copies.filter(({ name, from }) => isKept(name) || ownMethods.has(from)),
  }
}

function notesOf({ notes, vocabulary }: ExtractionPlan, hasChanged: (name: string) => boolean): readonly string[] {
  const ofChanged = notes.filter((note) => note.split(': left out')[0]!.split(', ').some(hasChanged))
  return vocabulary === undefined
    ? ofChanged
    : [
        ...ofChanged,
        `the merge has ${vocabulary.fine} rows of embeddings, the base ${vocabulary.base}: they are saved whole, and the base has to be resized before the adapter is loaded`,
      ]
}
