import type { TensorSource } from '@mk/source'
import type { MethodDefinition } from '@mk/methods'
import type { Dtype } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import { isFloat, ownDtype } from './dtypes.ts'
import type { EmbeddingPlan } from './plan-embeddings.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import type { UnplacedTensor } from './plan-files.ts'
import { resolveParameters } from './plan-parameters.ts'
import type { OutputTensor, TensorOrigin } from './plan-slices.ts'
import type { MissingTensors, SetAsideTensors } from './unmerged-tensors.ts'

export interface TensorContext {
  readonly method: MethodDefinition
  readonly inputs: MergeInputs
  /** Undefined keeps the tensors' own. */
  readonly dtype: Dtype | undefined
  /** Leave out what the donor does not have, instead of refusing it. */
  readonly allowMixedArchitectures: boolean
  readonly embeddings: EmbeddingPlan
  readonly missing: MissingTensors
  readonly setAside: SetAsideTensors
}

/** Decides what an output tensor is made of, its dtype and its shape; undefined where it is left out (a note or an error says why). */
export function planTensor(tensor: OutputTensor, context: TensorContext): UnplacedTensor | undefined {
  const { method, inputs, embeddings, setAside } = context
  const origins = tensor.base === undefined ? tensor.models : [tensor.base, ...tensor.models]
  if (embeddings.leavesOut(tensor)) {
    for (const { input, name } of origins) {
      if (name !== undefined)
        setAside.add(
          `${inputs.labels[input]!}: {names} is the same as its embedding, to which the output's head is tied; not written`,
          input,
          name,
        )
    }
    return undefined
  }
  const found = origins.map((origin) => findTensor(tensor, origin, context))
  const present = found.filter((entry) => entry !== undefined)
  const first = present[0]!
  const takeFirst = (why: string) => {
    if (present.length > 1)
      for (const { input, name } of present)
        setAside.add(`{names}: ${why}; taken from ${inputs.labels[first.input]!}`, input, name)
    return copyOf(tensor, first, context, first.source.dtype)
  }
  if (tensor.copied) return copyOf(tensor, first, context)
  if (tensor.role === 'buffer') return takeFirst('no weights, so not merged')
  if (present.length < origins.length) {
    if (method.missing === 'passthrough' && present.length === 1) return copyOf(tensor, first, context)
    const lackedByDonor = origins.some(({ input }, index) => input === inputs.donor && found[index] === undefined)
    if (context.allowMixedArchitectures && lackedByDonor) return undefined
    const has = inputs.labels[first.input]!
    origins.forEach(
      (origin, index) => found[index] ?? context.missing.add(inputs.labels[origin.input]!, has, origin.expectedName),
    )
    return undefined
  }
  const odd = present.find(({ source }) => !isFloat(source.dtype))
  if (odd !== undefined) return takeFirst(`${odd.source.dtype} values of ${inputs.labels[odd.input]!} are not merged`)
  const prepared = embeddings.prepare(tensor, present)
  if ('kind' in prepared) return finish(tensor, prepared, context)
  checkShapes(prepared, inputs)
  const parameters = resolveParameters(method, tensor, inputs)
  const [base, models] = tensor.base === undefined ? [undefined, prepared] : [prepared[0], prepared.slice(1)]
  return finish(tensor, { kind: 'merge', models, parameters, ...(base === undefined ? {} : { base }) }, context)
}

function findTensor(
  tensor: OutputTensor,
  { input, name }: TensorOrigin,
  { inputs, embeddings }: TensorContext,
): PlannedTensorInput | undefined {
  const actual = name ?? embeddings.substituteFor(tensor, input)
  if (actual === undefined) return undefined
  return { input, name: actual, source: inputs.checkpoints[input]!.tensors.get(actual)! }
}

const copyOf = (tensor: OutputTensor, input: PlannedTensorInput, context: TensorContext, dtype?: Dtype) =>
  finish(tensor, { kind: 'copy', input }, context, dtype)

function finish(
  tensor: OutputTensor,
  operation: Operation,
  { dtype, inputs }: TensorContext,
  fixed?: Dtype,
): UnplacedTensor {
  const first = firstInput(operation)
  return {
    name: tensor.name,
    dtype:
      fixed ??
      (isFloat(first.source.dtype)
        ? (dtype ?? ownDtype(first.source, inputs.checkpoints[first.input]!))
        : first.source.dtype),
    shape: first.source.shape,
    operation,
  }
}

function firstInput(operation: Operation): PlannedTensorInput {
  switch (operation.kind) {
    case 'copy':
      return operation.input
    case 'merge':
      return operation.base ?? operation.models[0]!
    case 'rows':
    case 'slerp-rows':
      return operation.inputs[0]!
    default:
      return operation satisfies never
  }
}

function checkShapes(tensors: readonly PlannedTensorInput[], inputs: MergeInputs): void {
  const shapeOf = ({ shape }: TensorSource) => shape.join(',')
  if (tensors.every(({ source }) => shapeOf(source) === shapeOf(tensors[0]!.source))) return
  throw new MergeError({
    code: 'shape-mismatch',
    tensors: tensors.map(({ input, name, source }) => ({ model: inputs.labels[input]!, name, shape: source.shape })),
  })
}
