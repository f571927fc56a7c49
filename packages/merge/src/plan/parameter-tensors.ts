import { isTransposedLayer } from '@mk/lora/portable'
import { countMatrices, type MethodDefinition, tensorParameters } from '@mk/methods'
import { cropSource, type GatherSegment, gatherSource, type TensorSource } from '@mk/source'
import type { MatrixSide } from '@mk/tensor'
import { MergeError } from '../errors.ts'
import type { OutputTensor } from './list-output-tensors.ts'
import type { ParameterValue, PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { MergeOperation } from './weight-groups.ts'
import { findSetting } from './plan-parameters.ts'

interface ModelTensors {
  readonly tensor: OutputTensor
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** Of the models, as their files have them. */
  readonly stored: readonly PlannedTensorInput[]
  /** The same as the method gets them: on the output's vocabulary, or cut. */
  readonly given: readonly PlannedTensorInput[]
}

/**
 * Finds the tensors of the files that parameters name: for each model the one that is called as the model's own, with the rows that the
 * model's own has got. Rows that the model has from elsewhere are zeros there. Where it is matrices that the files have, those of a
 * parameter are left out for what is no matrix, and where no file has one.
 * @returns what an operation has of it: nothing where the method has no such parameters, or all are left out
 * @throws MergeError 'parameter-tensor-missing', 'parameter-tensor-shape'
 */
export function findParameterTensors(
  method: MethodDefinition,
  models: ModelTensors,
  context: PlanContext,
): Pick<MergeOperation, 'tensors' | 'inputSide'> {
  const ofElements = tensorParameters(method, 'elements').map(
    (parameter) => [parameter, models.stored.map((_, model) => findTensor(parameter, model, models, context))] as const,
  )
  const ofMatrices = tensorParameters(method, 'matrix').flatMap((parameter) => {
    const found = models.stored.map((_, model) => findMatrix(parameter, model, models, context))
    if (found.every((each) => each === undefined)) return []
    found.forEach((each, model) => {
      if (each === undefined) throw lacking(factsOf(parameter, model, models, context))
    })
    return [[parameter, found as readonly FoundMatrix[]] as const]
  })
  const tensors = ofMatrices.map(([parameter, found]) => [parameter, found.map(({ tensor }) => tensor)] as const)
  const all = [...ofElements, ...tensors]
  const isOnRows = ofMatrices.some(([, [first]]) => first!.side === 'rows')
  return all.length === 0 ? {} : { tensors: Object.fromEntries(all), ...(isOnRows && { inputSide: 'rows' }) }
}

/** A matrix that a file has for the inputs of a layer, and which side of the layer's own they meet. */
interface FoundMatrix {
  readonly tensor: PlannedTensorInput
  readonly side: MatrixSide
}

/** A parameter's file for a model, and the model's tensor. */
function factsOf(
  parameter: string,
  model: number,
  { tensor, parameters, stored }: ModelTensors,
  { inputs }: PlanContext,
) {
  const label = (parameters[parameter] as readonly string[])[model]!
  const origin = tensor.models[model]!
  const own = stored[model]!
  const file = inputs.files!.labels.indexOf(label)
  const { tensors } = inputs.files!.checkpoints[file]!
  const where = () => inputs.locate(findSetting(parameter, tensor, origin)!.path)
  const facts = { parameter, file: label, model: inputs.labels[own.input]! }
  return { own, tensors, names: [own.name, origin.expectedName], input: inputs.checkpoints.length + file, where, facts }
}

const lacking = ({ own, where, facts }: ReturnType<typeof factsOf>): MergeError =>
  new MergeError({ code: 'parameter-tensor-missing', ...facts, name: own.name, where: where() })

/**
 * Finds the square matrix for the inputs of a layer of a model, under the name of its weight or its module. For the matrices of experts there
 * may be one for each.
 */
function findMatrix(
  parameter: string,
  model: number,
  models: ModelTensors,
  context: PlanContext,
): FoundMatrix | undefined {
  const found = factsOf(parameter, model, models, context)
  const { own, tensors, input, where, facts } = found
  const { shape } = own.source
  const count = countMatrices(own.name, shape)
  if (count === 0) return undefined
  const names = found.names.flatMap((name) => [name, name.replace(/\.weight$/, '')])
  const name = names.find((one) => tensors.has(one))
  if (name === undefined) return undefined
  const source = tensors.get(name)!
  const { family } = context.inputs.layouts[own.input]!
  const side = sideOfInputs(own, family, source.shape)
  const inputs = shape.at(side === 'rows' ? -2 : -1)!
  const expected = [...(source.shape.length === 3 && shape.length === 3 ? [count] : []), inputs, inputs]
  if (source.shape.join() !== expected.join())
    throw new MergeError({
      code: 'parameter-tensor-shape',
      ...facts,
      name,
      found: source.shape,
      shape: expected,
      where: where(),
    })
  return { tensor: { input, name, source }, side }
}

/** Families whose packed experts are stored as inputs × outputs. */
const turnedExperts = new Set(['gpt_oss', 'llama4', 'llama4_text', 'qwen3_vl_moe', 'qwen3_vl_moe_text'])

/** Tells which side of a layer's matrix its inputs meet. Of packed experts that are not square, a matrix that is given for them tells. */
function sideOfInputs(
  { name, source: { shape } }: PlannedTensorInput,
  family: string | undefined,
  given?: readonly number[],
): MatrixSide {
  if (shape.length === 2) return isTransposedLayer(family, name.replace(/\.weight$/, '')) ? 'rows' : 'columns'
  const [rows, columns] = shape.slice(-2)
  const isOnRows = given === undefined || rows === columns ? turnedExperts.has(family ?? '') : given.at(-1) === rows
  return isOnRows ? 'rows' : 'columns'
}

/** Finds the side of the inputs by the family, for a method that works on it without a file that has matrices for them. */
export function findInputSide(
  { matrices }: MethodDefinition,
  own: PlannedTensorInput,
  { inputs }: PlanContext,
): Pick<MergeOperation, 'inputSide'> {
  if (matrices !== 'columns' || countMatrices(own.name, own.source.shape) === 0) return {}
  return sideOfInputs(own, inputs.layouts[own.input]!.family) === 'rows' ? { inputSide: 'rows' } : {}
}

function findTensor(parameter: string, model: number, models: ModelTensors, context: PlanContext): PlannedTensorInput {
  const { given } = models
  const found = factsOf(parameter, model, models, context)
  const { own, tensors, names, input, where, facts } = found
  const name = names.find((one) => tensors.has(one))
  if (name === undefined) throw lacking(found)
  const source = tensors.get(name)!
  if (source.shape.join() !== own.source.shape.join()) {
    const { shape } = own.source
    throw new MergeError({ code: 'parameter-tensor-shape', ...facts, name, found: source.shape, shape, where: where() })
  }
  const segments = context.options.vocabulary.rows?.segments[own.input]
  return {
    input,
    name,
    source:
      given[model]!.source === own.source ? source : onRows(source, given[model]!.source.shape, segments, own.input),
  }
}

function onRows(
  source: TensorSource,
  shape: readonly number[],
  segments: readonly GatherSegment[] | undefined,
  input: number,
): TensorSource {
  if (segments === undefined && shape.every((size, axis) => size <= source.shape[axis]!))
    return cropSource(source, shape)
  const [ownRows = 0] = source.shape
  return gatherSource({
    dtype: source.dtype,
    shape,
    segments: segments?.map((segment): GatherSegment =>
      segment.kind === 'copy' && segment.source === input ? segment : { kind: 'zero', rowCount: segment.rowCount },
    ) ?? [
      { kind: 'copy', source: input, row: 0, rowCount: ownRows },
      { kind: 'zero', rowCount: shape[0]! - ownRows },
    ],
    sourceOf: () => source,
  })
}
