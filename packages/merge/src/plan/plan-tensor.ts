import { findRule, type MethodDefinition } from '@mk/methods'
import { isSameShape, type Dtype } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import { isRaw, type MergeInputs } from '../open/merge-inputs.ts'
import { checkMatrixSize } from './check-matrices.ts'
import { isFloat, outputDtype, ownDtype } from './dtypes.ts'
import { type OutputTensor, originsOf, type TensorOrigin } from './list-output-tensors.ts'
import { mainMethod, type Operation, operationInputs, type PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import { findInputSide, findParameterTensors } from './parameter-tensors.ts'
import type { EmbeddingPlan } from './plan-embeddings.ts'
import type { UnplacedTensor } from './plan-files.ts'
import type { ParameterResolver } from './plan-parameters.ts'
import type { MissingTensors, SetAsideReason, SetAsideTensors } from './unmerged-tensors.ts'

export interface TensorContext extends PlanContext {
  readonly embeddings: EmbeddingPlan
  readonly missing: MissingTensors
  readonly setAside: SetAsideTensors
  readonly resolve: ParameterResolver
  /** Methods of which parameters name files of tensors. */
  readonly takeFiles: ReadonlySet<MethodDefinition>
}

/** Decides what an output tensor is made of, its dtype and its shape; undefined where it is left out (a note or an error says why). */
export function planTensor(tensor: OutputTensor, context: TensorContext): UnplacedTensor | undefined {
  const { inputs, embeddings, setAside } = context
  const { method } = tensor
  const origins = originsOf(tensor)
  if (embeddings.leavesOut(tensor)) {
    for (const { input, name } of origins)
      if (name !== undefined) setAside.add({ code: 'head-not-written', model: inputs.labels[input]! }, input, name)
    return undefined
  }
  const found = origins.map((origin) => findTensor(tensor, origin, context))
  const present = areAllThere(found) ? found : found.filter((entry) => entry !== undefined)
  const first = present[0]!
  const from = inputs.labels[first.input]!
  if (method === undefined) return copyOf(tensor, first, context)
  if (tensor.role === 'buffer') return takeFirst(tensor, present, { code: 'buffer-copied', from }, context)
  if (present.length < origins.length) {
    if (method.missing === 'passthrough' && present.length === 1 && context.config.missing === undefined) {
      setAside.add({ code: 'copied-from-one', from }, first.input, first.name)
      return copyOf(tensor, first, context)
    }
    const lacking = origins.filter((_, index) => found[index] === undefined)
    const { textParts } = context
    const isOfPair = (entries: readonly { readonly input: number }[]) =>
      entries.every(({ input }) => textParts.has(input))
    const ofDonor = present.find(({ input }) => input === inputs.donor)
    if (ofDonor !== undefined && isOfPair(lacking)) {
      const models = [...new Set(lacking.map(({ input }) => inputs.labels[input]!))].join(', ')
      setAside.add({ code: 'text-part-lacks', from: inputs.labels[inputs.donor]!, models }, ofDonor.input, ofDonor.name)
      return copyOf(tensor, ofDonor, context)
    }
    const isExtra = ofDonor === undefined && (context.options.allowMixedArchitectures || isOfPair(present))
    if (isExtra && lacking.some(({ input }) => input === inputs.donor)) return undefined
    const ofOthers = context.config.missing === 'others' ? withoutLacking(tensor, method) : undefined
    if (ofOthers !== undefined) {
      const models = [...new Set(lacking.map(({ input }) => inputs.labels[input]!))].join(', ')
      setAside.add({ code: 'missing-from-others', models }, first.input, first.name)
      return planTensor(ofOthers, context)
    }
    const way = wayOut(tensor, present, lacking, context)
    if (way !== undefined) return way === 'left-out' ? undefined : copyOf(tensor, way, context)
    for (const { input, expectedName } of lacking)
      context.missing.add(inputs.labels[input]!, from, expectedName, canBeMissing(tensor, context))
    return undefined
  }
  if (tensor.models.length === 0) {
    context.notes.add({ code: 'base-alone', model: from, method: method.name })
    return copyOf(tensor, first, context)
  }
  const integers = present.find(({ source }) => !isFloat(source.dtype))
  if (integers !== undefined) {
    const facts = { dtype: integers.source.dtype, model: inputs.labels[integers.input]!, from }
    return takeFirst(tensor, present, { code: 'integers-copied', ...facts }, context)
  }
  const prepared = embeddings.prepare(tensor, present)
  if ('kind' in prepared) return finish(tensor, prepared, context)
  checkShapes(prepared, inputs)
  const parameters = context.resolve(method, tensor, tensor.models)
  const [base, models] = tensor.base === undefined ? [undefined, prepared] : [prepared[0], prepared.slice(1)]
  const stored = tensor.base === undefined ? present : present.slice(1)
  const ofFiles = context.takeFiles.has(method)
    ? findParameterTensors(method, { tensor, parameters, stored, given: models }, context)
    : undefined
  const { inputSide } = ofFiles ?? findInputSide(method, stored[0]!, context)
  checkMatrixSize(method, { name: tensor.name, shape: prepared[0]!.source.shape, inputSide })
  const called = tensor.choice!.method
  const named = called === mainMethod(context.config) ? {} : { method: called }
  findRule(method, parameters, { hasBase: base !== undefined, tensor: tensor.name })
  const { layerDepth } = tensor
  const ofLayer = layerDepth !== undefined && method.usesDepth?.(parameters) === true ? { layerDepth } : {}
  const operation = {
    kind: 'merge' as const,
    ...named,
    models,
    parameters,
    ...ofFiles,
    ...(inputSide && { inputSide }),
    ...ofLayer,
  }
  return finish(tensor, base === undefined ? operation : { ...operation, base }, context)
}

const areAllThere = (found: readonly (PlannedTensorInput | undefined)[]): found is PlannedTensorInput[] =>
  !found.includes(undefined)

/**
 * The same tensor made of the models that have it; where the method needs a base that lacks it, or more models, copied if only one
 * model has it, else undefined.
 */
function withoutLacking(tensor: OutputTensor, { base, models: { min } }: MethodDefinition): OutputTensor | undefined {
  const has = ({ name }: TensorOrigin) => name !== undefined
  const models = tensor.models.filter(has)
  const ofBase = tensor.base !== undefined && has(tensor.base) ? tensor.base : undefined
  if (models.length >= min && (base !== 'required' || ofBase !== undefined)) return { ...tensor, base: ofBase, models }
  const [only, ...more] = ofBase === undefined ? models : [ofBase, ...models]
  return more.length > 0 ? undefined : { ...tensor, base: undefined, models: [only!], method: undefined }
}

/**
 * What the recipe's `missing` makes of a tensor that some models lack: what the base has, or nothing where no layer of the output
 * needs it. Undefined where it has to be an error.
 */
function wayOut(
  tensor: OutputTensor,
  present: readonly PlannedTensorInput[],
  lacking: readonly TensorOrigin[],
  context: TensorContext,
): PlannedTensorInput | 'left-out' | undefined {
  const { config, inputs, setAside } = context
  if (config.missing === undefined || config.missing === 'others' || !canBeMissing(tensor, context)) return undefined
  const inSlice = originsOf(tensor).map(({ input }) => input)
  // Without a base among them, the first model stands for it, as it does for config.json.
  const reference = tensor.base?.input ?? (inSlice.includes(inputs.donor) ? inputs.donor : inSlice[0]!)
  const ofReference = present.find(({ input }) => input === reference)
  const isNeeded =
    !isRaw(inputs) && ofReference !== undefined && (tensor.layerDepth !== undefined || isNeededOutside(tensor.name))
  if (config.missing === 'skip' && isNeeded) return undefined
  const isTaken = config.missing === 'base' && ofReference !== undefined
  const models = [...new Set(lacking.map(({ input }) => inputs.labels[input]!))].join(', ')
  const reason = isTaken
    ? ({ code: 'missing-from-base', from: inputs.labels[reference]!, models } as const)
    : ({ code: 'missing-left-out', models } as const)
  for (const { input, name } of present) setAside.add(reason, input, name)
  return isTaken ? ofReference : 'left-out'
}

/** Rows of the vocabulary are never done without, where a loader reads them. */
const canBeMissing = ({ role }: OutputTensor, { inputs }: TensorContext): boolean =>
  isRaw(inputs) || (role !== 'embedding' && role !== 'head')

/** Norms and embeddings outside the layers, which every loader asks for; those of a head or a pooler are not. */
const isNeededOutside = (name: string): boolean =>
  /norm|(?:^|[._])ln[._]|embed|wpe|position/i.test(name) &&
  !/(?:^|[._])(?:cls|pooler|score|classifier|head|heads|discriminator_predictions|summary|qa_outputs)[._]/.test(name)

function findTensor(
  tensor: OutputTensor,
  { input, name }: TensorOrigin,
  { inputs, embeddings }: TensorContext,
): PlannedTensorInput | undefined {
  const actual = name ?? embeddings.substituteFor(tensor, input)
  if (actual === undefined) return undefined
  return { input, name: actual, source: inputs.checkpoints[input]!.tensors.get(actual)! }
}

function takeFirst(
  tensor: OutputTensor,
  present: readonly PlannedTensorInput[],
  reason: SetAsideReason,
  context: TensorContext,
): UnplacedTensor {
  if (present.length > 1) for (const { input, name } of present) context.setAside.add(reason, input, name)
  return copyOf(tensor, present[0]!, context, present[0]!.source.dtype)
}

const copyOf = (tensor: OutputTensor, input: PlannedTensorInput, context: TensorContext, dtype?: Dtype) =>
  finish(tensor, { kind: 'copy', input }, context, dtype)

function finish(
  { name }: OutputTensor,
  operation: Operation,
  { config, inputs }: TensorContext,
  fixed?: Dtype,
): UnplacedTensor {
  const { input, source } = operationInputs(operation)[0]!
  const own = () =>
    isFloat(source.dtype) ? (outputDtype(config) ?? ownDtype(source, inputs.checkpoints[input]!)) : source.dtype
  return { name, dtype: fixed ?? own(), shape: source.shape, operation }
}

function checkShapes(tensors: readonly PlannedTensorInput[], { labels }: MergeInputs): void {
  const [first, ...others] = tensors
  if (others.every(({ source }) => isSameShape(source.shape, first!.source.shape))) return
  throw new MergeError({
    code: 'shape-mismatch',
    tensors: tensors.map(({ input, name, source }) => ({ model: labels[input]!, name, shape: source.shape })),
  })
}
