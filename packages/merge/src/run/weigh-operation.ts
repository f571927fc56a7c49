import type { MethodDefinition } from '@mk/methods'
import { linearForm } from '../adapter/linear-form.ts'
import { type FactorChange, type MergePlan, methodOf, type Operation, type PlannedTensor } from '../plan/merge-plan.ts'
import { withNumbers, withoutRules } from '../plan/weight-groups.ts'

type Factors = Extract<Operation, { readonly kind: 'factors' }>
type Products = Extract<FactorChange, { readonly kind: 'products' }>

/** Tells which of the plan's `counted` the weights of an operation follow from. */
export function countedOf(operation: Operation): number | undefined {
  if (operation.kind === 'merge') return operation.counted
  return operation.kind === 'factors' ? ruled(operation.change)?.counted : undefined
}

const ruled = (change: FactorChange) =>
  change.kind === 'products' ? change.weighing : change.kind === 'difference' ? undefined : change

/** Puts numbers in the place of weights that follow from norms, one for each model. */
export function weighOperation(operation: Operation, weights: readonly number[]): Operation {
  if (operation.kind === 'merge') return withoutRules(operation, weights)
  return operation.kind === 'factors' ? { ...operation, change: weighChange(operation.change, weights) } : operation
}

function weighChange(change: FactorChange, weights: readonly number[]): FactorChange {
  switch (change.kind) {
    case 'products':
      return change.weighing ? { ...change, weighing: withNumbers(change.weighing, weights, undefined) } : change
    case 'task-vectors': {
      const files = Object.fromEntries((change.files ?? []).map((name) => [name, undefined]))
      return withNumbers(change, weights, files)
    }
    case 'knots':
    case 'paired-factors':
      return withNumbers(change, weights, undefined)
    case 'difference':
      return change
    default:
      return change satisfies never
  }
}

/** Gives products the scales that follow from weights that are numbers by now. */
export const withScales = (
  plan: Pick<MergePlan, 'method' | 'tensors'>,
  methods: ReadonlyMap<string, MethodDefinition>,
): Promise<readonly PlannedTensor[]> =>
  Promise.all(
    plan.tensors.map(async (tensor) => {
      const { operation } = tensor
      if (operation.kind !== 'factors' || operation.change.kind !== 'products') return tensor
      const { weighing } = operation.change
      if (weighing === undefined) return tensor
      const method = methods.get(methodOf(plan, operation))!
      return { ...tensor, operation: { ...operation, change: await scaled(operation, weighing, method) } }
    }),
  )

async function scaled(
  { inputs, change }: Factors,
  weighing: NonNullable<Products['weighing']>,
  method: MethodDefinition,
): Promise<Products> {
  const { products } = change as Products
  const [a, b] = inputs
  const form = await linearForm(method, weighing, { name: a!.name, shape: [b!.source.shape[0]!, a!.source.shape[1]!] })
  if (form === undefined) throw new TypeError(`${method.name} is not linear for these weights`)
  const first = Number(weighing.hasBase)
  return {
    kind: 'products',
    products: products.map(({ scale, model }) => ({ scale: scale * form[first + model]!, model })),
  }
}
