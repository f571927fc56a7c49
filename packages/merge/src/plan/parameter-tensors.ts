import { type MethodDefinition, tensorParameters } from '@mk/methods'
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
 * model's own has got. Rows that the model has from elsewhere are zeros there.
 * @returns by parameter; undefined where the method has no such parameters
 * @throws MergeError 'parameter-tensor-missing', 'parameter-tensor-shape'
 */
export function findParameterTensors(
  method: MethodDefinition,
  models: ModelTensors,
  context: PlanContext,
): Readonly<Record<string, readonly PlannedTensorInput[]>> | undefined {
  const names = tensorParameters(method)
  if (names.length === 0) return undefined
  return Object.fromEntries(
    names.map((parameter) => [
      parameter,
      models.stored.map((_, model) => findTensor(parameter, model, models, context)),
    ]),
  )
}

function findTensor(
  parameter: string,
  model: number,
  { tensor, parameters, stored, given }: ModelTensors,
  { inputs, options }: PlanContext,
): PlannedTensorInput {
  const label = (parameters[parameter] as readonly string[])[model]!
  const origin = tensor.models[model]!
  const own = stored[model]!
  const file = inputs.files!.labels.indexOf(label)
  const { tensors } = inputs.files!.checkpoints[file]!
  const where = () => inputs.locate(findSetting(parameter, tensor, origin)!.path)
  const name = [own.name, origin.expectedName].find((one) => tensors.has(one))
  const facts = { parameter, file: label, model: inputs.labels[own.input]! }
  if (name === undefined)
    throw new MergeError({ code: 'parameter-tensor-missing', ...facts, name: own.name, where: where() })
  const source = tensors.get(name)!
  if (source.shape.join() !== own.source.shape.join()) {
    const { shape } = own.source
    throw new MergeError({ code: 'parameter-tensor-shape', ...facts, name, found: source.shape, shape, where: where() })
  }
  const segments = options.vocabulary.rows?.segments[own.input]
  return {
    input: inputs.checkpoints.length + file,
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
