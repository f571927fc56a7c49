import type { TensorSource } from '@mk/checkpoint'
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

export interface TensorContext {
  readonly method: MethodDefinition
  readonly inputs: MergeInputs
  /** Undefined keeps the tensors' own. */
  readonly dtype: Dtype | undefined
  readonly embeddings: EmbeddingPlan
  readonly missing: MissingTensors
  readonly note: (text: string) => void
}

/** Collects what is missing where, so that one error names it all. */
export class MissingTensors {
  private readonly tensors = new Map<string, { readonly model: string; readonly other: string; readonly names: string[] }>()

  add(model: string, other: string, name: string): void {
    const key = `${model}\0${other}`
    let entry = this.tensors.get(key)
    if (entry === undefined) this.tensors.set(key, (entry = { model, other, names: [] }))
    entry.names.push(name)
  }

  throwIfAny(): void {
    const first = this.tensors.values().next().value
    if (first !== undefined) throw new MergeError({ code: 'missing-tensor', tensors: first.names, model: first.model, other: first.other })
  }
}

/** Decides what an output tensor is made of, its dtype and its shape; undefined where it is left out (a note or an error says why). */
export function planTensor(tensor: OutputTensor, context: TensorContext): UnplacedTensor | undefined {
  if (context.embeddings.leavesOut(tensor)) return undefined
  const { method, inputs } = context
  const origins = tensor.base === undefined ? tensor.models : [tensor.base, ...tensor.models]
  const found = origins.map((origin) => findTensor(tensor, origin, context))
  const present = found.filter((entry) => entry !== undefined)
  const first = present[0]!
  if (present.length < origins.length) {
    if (tensor.role === 'buffer') return copyOf(tensor, first, context)
    if (method.missing === 'passthrough' && present.length === 1) return copyOf(tensor, first, context)
    const has = inputs.labels[first.input]!
    origins.forEach((origin, index) => found[index] ?? context.missing.add(inputs.labels[origin.input]!, has, origin.expectedName))
    return undefined
  }
  if (tensor.copied) return copyOf(tensor, first, context)
  if (present.some(({ source }) => !isFloat(source.dtype))) {
    if (present.length > 1) context.note(`${tensor.name} holds ${first.source.dtype} values, which are not merged; it is taken from ${inputs.labels[first.input]!}`)
    return copyOf(tensor, first, context, first.source.dtype)
  }
  const prepared = context.embeddings.prepare(tensor, present)
  if ('kind' in prepared) return finish(tensor, prepared, context)
  const same = prepared
  checkShapes(same, inputs)
  const parameters = resolveParameters(method, tensor, inputs)
  const [base, models] = tensor.base === undefined ? [undefined, same] : [same[0], same.slice(1)]
  return finish(tensor, { kind: 'merge', models, parameters, ...(base === undefined ? {} : { base }) }, context)
}

function findTensor(tensor: OutputTensor, { input, name, expectedName }: TensorOrigin, { inputs, embeddings }: TensorContext): PlannedTensorInput | undefined {
  const actual = name ?? embeddings.substituteFor(tensor, input)
  if (actual === undefined) return undefined
  return { input, name: actual ?? expectedName, source: inputs.checkpoints[input]!.tensors.get(actual)! }
}

const copyOf = (tensor: OutputTensor, input: PlannedTensorInput, context: TensorContext, dtype?: Dtype) => finish(tensor, { kind: 'copy', input }, context, dtype)

function finish(tensor: OutputTensor, operation: Operation, { dtype, inputs }: TensorContext, fixed?: Dtype): UnplacedTensor {
  const first = firstInput(operation)
  return {
    name: tensor.name,
    dtype: fixed ?? (isFloat(first.source.dtype) ? (dtype ?? ownDtype(first.source, inputs.checkpoints[first.input]!)) : first.source.dtype),
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
