import { isTransposedLayer } from '@mk/lora/portable'
import { countMatrices, type MethodDefinition, tensorParameters } from '@mk/methods'
import { cropSource, type GatherSegment, gatherSource, type TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { OutputTensor } from './list-output-tensors.ts'
import type { ParameterValue, PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
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
 * @returns by parameter; undefined where the method has no such parameters, or all are left out
 * @throws MergeError 'parameter-tensor-missing', 'parameter-tensor-shape', 'parameter-tensor-transposed'
 */
export function findParameterTensors(
  method: MethodDefinition,
  models: ModelTensors,
  context: PlanContext,
): Readonly<Record<string, readonly PlannedTensorInput[]>> | undefined {
  const ofElements = tensorParameters(method, 'elements').map(
    (parameter) => [parameter, models.stored.map((_, model) => findTensor(parameter, model, models, context))] as const,
  )
  const ofMatrices = tensorParameters(method, 'matrix').flatMap((parameter) => {
    const found = models.stored.map((_, model) => findMatrix(parameter, model, models, context))
    if (found.every((each) => each === undefined)) return []
    found.forEach((each, model) => {
      if (each === undefined) throw lacking(factsOf(parameter, model, models, context))
    })
    return [[parameter, found as readonly PlannedTensorInput[]] as const]
  })
  const all = [...ofElements, ...ofMatrices]
  return all.length === 0 ? undefined : Object.fromEntries(all)
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

/** Finds the square matrix of as many columns as a matrix of a model, under the name of its weight or its module. */
function findMatrix(
  parameter: string,
  model: number,
  models: ModelTensors,
  context: PlanContext,
): PlannedTensorInput | undefined {
  const found = factsOf(parameter, model, models, context)
  const { own, tensors, input, where, facts } = found
  const { shape } = own.source
  if (shape.length !== 2 || countMatrices(own.name, shape) !== 1) return undefined
  const names = found.names.flatMap((name) => [name, name.replace(/\.weight$/, '')])
  const name = names.find((one) => tensors.has(one))
  if (name === undefined) return undefined
  const source = tensors.get(name)!
  const columns = shape[1]!
  const { family } = context.inputs.layouts[own.input]!
  if (isTransposedLayer(family, own.name.replace(/\.weight$/, '')))
    throw new MergeError({ code: 'parameter-tensor-transposed', ...facts, name, where: where() })
  if (source.shape.join() !== [columns, columns].join())
    throw new MergeError({
      code: 'parameter-tensor-shape',
      ...facts,
      name,
      found: source.shape,
      shape: [columns, columns],
      where: where(),
    })
  return { input, name, source }
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
