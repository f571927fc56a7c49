import { createMethodContext, type MethodDefinition, type MethodParameters } from '@mk/methods'
import { type Expression, input, type Mask } from '@mk/tensor'
import { createSession } from '@mk/tensor/runtime'
import type { ChangeMethod } from '../plan/merge-plan.ts'

/** A method asked for a pass over the elements, so that its result depends on them. */
const needsElements = Symbol('needs elements')

/** What of a merge its form follows from. */
export interface LinearMerge extends Pick<ChangeMethod, 'parameters' | 'layerDepth'> {
  readonly hasBase: boolean
  readonly modelCount: number
}

/**
 * Finds what a merge multiplies each of its inputs by, where its result is a sum of such products.
 * @returns in the order of `operationInputs`; undefined where the result is no such sum, or can't be told to be
 */
export async function linearForm(
  method: MethodDefinition,
  { hasBase, modelCount, parameters, layerDepth }: LinearMerge,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
): Promise<Float64Array | undefined> {
  const first = Number(hasBase)
  const count = first + modelCount
  const session = createSession({
    shape,
    inputDtypes: Array.from({ length: count }, () => 'F32' as const),
    runStage: () => Promise.reject(needsElements),
  })
  const context = createMethodContext(session, { tensorName: name, seed: 0, layerDepth, warn: () => {} })
  const inputs = {
    base: first === 0 ? undefined : input(0),
    models: Array.from({ length: modelCount }, (_, model) => input(first + model)),
  }
  let result: Expression
  try {
    result = await method.merge(inputs, parameters as MethodParameters, context)
  } catch (error) {
    if (error === needsElements) return undefined
    throw error
  }
  const form = formOf(result, count)
  return form === undefined || form.at(-1) !== 0 ? undefined : form.subarray(0, count)
}

/** The factor of each input, and last what is added: a number. */
function formOf(value: Expression | Mask, count: number): Float64Array | undefined {
  switch (value.op) {
    case 'input':
      // What comes after the models is none of them.
      return value.slot < count ? unit(count, value.slot) : undefined
    case 'number':
      return unit(count, count, value.value)
    case 'neg': {
      const a = formOf(value.a, count)
      return a?.map((factor) => -factor)
    }
    case 'add':
    case 'sub': {
      const [a, b] = [formOf(value.a, count), formOf(value.b, count)]
      if (a === undefined || b === undefined) return undefined
      return value.op === 'add' ? a.map((factor, i) => factor + b[i]!) : a.map((factor, i) => factor - b[i]!)
    }
    case 'mul': {
      const [a, b] = [formOf(value.a, count), formOf(value.b, count)]
      if (a === undefined || b === undefined) return undefined
      const [number, other] = isNumber(a) ? [a, b] : [b, a]
      return isNumber(number) ? other.map((factor) => factor * number.at(-1)!) : undefined
    }
    case 'div': {
      const [a, b] = [formOf(value.a, count), formOf(value.b, count)]
      return a === undefined || b === undefined || !isNumber(b) ? undefined : a.map((factor) => factor / b.at(-1)!)
    }
    default:
      return undefined
  }
}

function unit(count: number, at: number, value = 1): Float64Array {
  const form = new Float64Array(count + 1)
  form[at] = value
  return form
}

const isNumber = (form: Float64Array): boolean => form.subarray(0, -1).every((factor) => factor === 0)
