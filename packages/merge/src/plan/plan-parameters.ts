import type { MergeConfig, ParameterBlock } from '@mk/config'
import { nearest } from '@mk/errors'
import type { MethodDefinition, ParameterSchemas } from '@mk/methods'
import { listParameterNames, resolveParameter } from '@mk/params'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { ParameterValue } from './merge-plan.ts'
import type { OutputTensor, TensorOrigin } from './plan-slices.ts'

/** Parameters that belong to the merge of embeddings under `tokenizer_source`, not to any method. */
const embeddingParameters = ['embed_slerp', 'weight', 't']

/** @returns notes about parameters that this method does not use. @throws MergeError for one that no method knows. */
export function checkParameterNames(
  config: MergeConfig,
  method: MethodDefinition,
  methods: ReadonlyMap<string, MethodDefinition>,
  inputs: MergeInputs,
): string[] {
  const used = new Set(parameterNames(method))
  if (config.tokenizer?.kind === 'average-rows') embeddingParameters.forEach((name) => used.add(name))
  const known = new Set([...used, ...embeddingParameters, ...[...methods.values()].flatMap(parameterNames)])
  const perModel = new Set([
    ...Object.keys(method.parameters.perModel),
    ...(config.tokenizer?.kind === 'average-rows' ? ['weight'] : []),
  ])
  const notes = new Map<string, string>()
  for (const { name, path, level } of listParameterNames(config)) {
    if (used.has(name) && (level === 'general' || perModel.has(name))) continue
    const where = inputs.locate(path)
    if (!known.has(name)) {
      throw new MergeError({
        code: 'unknown-parameter',
        parameter: name,
        nearest: nearest(name, [...known]),
        method: method.name,
        where,
      })
    }
    if (notes.has(name)) continue
    notes.set(
      name,
      used.has(name)
        ? `${where}: '${name}' holds for all models, so it is ignored here; write it under the 'parameters' of the top level`
        : `${where}: ${method.name} has no parameter '${name}'; it is ignored`,
    )
  }
  return [...notes.values()]
}

const parameterNames = ({ parameters: { perModel, methodWide } }: MethodDefinition) => [
  ...Object.keys(perModel),
  ...Object.keys(methodWide),
]

/** Resolves what the method takes for one output tensor: method-wide values, and per-model ones as arrays. */
export function resolveParameters(
  method: MethodDefinition,
  tensor: OutputTensor,
  inputs: MergeInputs,
): Record<string, ParameterValue> {
  const { perModel, methodWide } = method.parameters
  const values: Record<string, ParameterValue> = {}
  for (const [name, schema] of Object.entries(methodWide)) {
    values[name] = resolveOne(name, schema, method, tensor, inputs, undefined)
  }
  for (const [name, schema] of Object.entries(perModel)) {
    values[name] = tensor.models.map((origin) =>
      resolveOne(name, schema, method, tensor, inputs, origin),
    ) as ParameterValue
  }
  return values
}

/** The value of a parameter outside any method, such as `weight` for embeddings. */
export function resolveSetting(name: string, tensor: OutputTensor, origin: TensorOrigin | undefined) {
  return resolveParameter(name, blocksOf(tensor, origin), {
    tensorName: origin?.expectedName ?? tensor.name,
    depth: tensor.depth,
  })
}

const blocksOf = (tensor: OutputTensor, origin: TensorOrigin | undefined): readonly (ParameterBlock | undefined)[] =>
  (origin ?? tensor).blocks

function resolveOne(
  name: string,
  schema: ParameterSchemas[string],
  method: MethodDefinition,
  tensor: OutputTensor,
  inputs: MergeInputs,
  origin: TensorOrigin | undefined,
): number | boolean | string {
  const found = resolveSetting(name, tensor, origin)
  const parsed = schema.safeParse(found?.value)
  if (parsed.success && parsed.data !== undefined) return parsed.data as number | boolean | string
  const model = origin === undefined ? undefined : inputs.labels[origin.input]
  if (found === undefined) throw missing(name, method, tensor, model, blocksOf(tensor, origin))
  const expected =
    parsed.error?.issues.map(({ message }) => message.replace(/^Invalid input: expected /, '')).join('; ') ?? 'a value'
  throw new MergeError({
    code: 'invalid-parameter',
    parameter: name,
    value: found.value,
    expected,
    where: inputs.locate(found.path),
  })
}

function missing(
  name: string,
  method: MethodDefinition,
  tensor: OutputTensor,
  model: string | undefined,
  blocks: readonly (ParameterBlock | undefined)[],
): MergeError {
  const filtered = blocks.some((block) => block?.settings.has(name))
  const hint = filtered
    ? `no filter of '${name}' matches it; add an entry without a filter`
    : `write '${name}' under the ${model === undefined ? '' : `model's or the `}top level's 'parameters'`
  return new MergeError({
    code: 'missing-parameter',
    parameter: name,
    method: method.name,
    tensor: tensor.name,
    model,
    hint,
  })
}
