import type { ParameterBlock } from '@mk/config'
import { builtinMethods } from '@mk/methods'
import { originsOf, type OutputTensor, type TensorOrigin } from './list-output-tensors.ts'
import type { Operation } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'
import { findSetting } from './plan-parameters.ts'
import type { ParameterBlocks } from './resolve-slices.ts'

type Merge = Extract<Operation, { kind: 'merge' }>

/** The parameter for whose value a model changes nothing. */
interface Reason {
  readonly parameter: string
  readonly value: number
  /** Whether it is the model's own, or one of the method as a whole. */
  readonly isOwn: boolean
}

/**
 * Finds the models of a slice or list that change nothing in any tensor, for their weight or density or the method's factor: the
 * built-in methods only, since a method of one's own may mean anything by these names.
 * @returns a sentence for each, with file, line and column of the setting
 */
export function findIdleModels(
  context: PlanContext,
  outputs: readonly OutputTensor[],
  planned: readonly UnplacedTensor[],
): readonly string[] {
  const { inputs } = context
  const operations = new Map(planned.map(({ name, operation }) => [name, operation]))
  const idle = new Map<ParameterBlock | ParameterBlocks, string>()
  const active = new Set<ParameterBlock | ParameterBlocks>()
  for (const tensor of outputs) {
    const operation = operations.get(tensor.name)
    if (operation === undefined) continue
    const origins = originsOf(tensor)
    for (let slot = 0; slot < origins.length; slot++) {
      const origin = origins[slot]!
      const key = origin.blocks[0] ?? origin.blocks
      if (active.has(key)) continue
      if (isTakenFrom(operation, origin) && tensor.role !== 'buffer') active.add(key)
      const reason = reasonOf(tensor.method, operation, slot)
      if (reason === 'active') active.add(key)
      else if (reason !== undefined && !idle.has(key)) idle.set(key, describe(reason, tensor, origin))
    }
  }
  return [...new Set([...idle].flatMap(([key, sentence]) => (active.has(key) ? [] : [sentence])))]

  function describe({ parameter, value, isOwn }: Reason, tensor: OutputTensor, origin: TensorOrigin): string {
    const path = findSetting(parameter, tensor, isOwn ? origin : undefined)?.path
    const where = path === undefined ? '' : `${inputs.locate(path)}: `
    return `${where}${inputs.labels[origin.input]!} contributes nothing: ${isOwn ? 'its ' : ''}${parameter} is ${value} for all tensors`
  }
}

const isTakenFrom = (operation: Operation, { input }: TensorOrigin): boolean =>
  operation.kind === 'copy' && operation.input.input === input

/** @param slot place among the inputs, the base first where there is one */
function reasonOf(method: OutputTensor['method'], operation: Operation, slot: number): Reason | 'active' | undefined {
  switch (operation.kind) {
    case 'copy':
      return undefined
    case 'rows':
    case 'slerp-rows':
    case 'factors':
    case 'other-factor':
      return 'active'
    case 'merge':
      if (method === undefined || builtinMethods.get(method.name) !== method) return 'active'
      return slot === 0 && operation.base !== undefined
        ? reasonOfBase(method.name, operation)
        : reasonOfModel(method.name, operation, slot - (operation.base === undefined ? 0 : 1))
    default:
      return operation satisfies never
  }
}

const reasonOfBase = (method: string, { parameters }: Merge): Reason | 'active' =>
  method === 'slerp' && parameters['t'] === 1 ? { parameter: 't', value: 1, isOwn: false } : 'active'

function reasonOfModel(method: string, { parameters }: Merge, model: number): Reason | 'active' {
  for (const parameter of ['weight', 'density']) {
    const values = parameters[parameter]
    if (Array.isArray(values) && values[model] === 0) return { parameter, value: 0, isOwn: true }
  }
  const ofAll = method === 'slerp' || method === 'nearswap' ? ['t'] : ['lambda', 'select_topk']
  const zero = ofAll.find((parameter) => parameters[parameter] === 0)
  return zero === undefined ? 'active' : { parameter: zero, value: 0, isOwn: false }
}
