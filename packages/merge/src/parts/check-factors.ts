import type { PlannedTensor } from '../plan/merge-plan.ts'

type Named = Pick<PlannedTensor, 'name' | 'dtype' | 'shape' | 'operation'>
type Factors = Extract<PlannedTensor['operation'], { readonly kind: 'factors' }>

/** Checks that what gives the factor A of a module has the sizes for it. @returns what is wrong, if anything is */
export function checkFactors({ inputs, change }: Factors, [rank, columns]: readonly number[]): string | undefined {
  if (rank === undefined || columns === undefined) return 'a factor that is no matrix'
  if (inputs.some(({ source }) => source.shape.length !== 2)) return 'factors of what is no matrix'
  const shapes = inputs.map(({ source }) => source.shape as readonly [number, number])
  if (change.kind === 'difference') {
    const [first, second = first] = shapes
    const isAlike = shapes.length <= 2 && first!.every((size, axis) => size === second![axis])
    return isAlike && first![change.transposed ? 0 : 1] === columns ? undefined : 'a difference of another size'
  }
  if (change.kind === 'task-vectors') {
    const { modelCount, hasBase, isMoved, transposed, files = [], inputSide } = change
    const firstFile = modelCount + Number(hasBase)
    const ofFiles = shapes.splice(firstFile, files.length * modelCount)
    const isSquare = ([rows, size]: readonly [number, number]) =>
      rows === size && size === shapes[0]![inputSide === 'rows' ? 0 : 1]
    const isAlike = shapes.every((shape) => shape.join() === shapes[0]!.join()) && ofFiles.every(isSquare)
    const isWhole =
      ofFiles.length === files.length * modelCount &&
      shapes.length === firstFile + Number(isMoved) &&
      (hasBase || !isMoved)
    return isAlike && isWhole && shapes[0]![transposed ? 0 : 1] === columns ? undefined : 'task vectors of other sizes'
  }
  const isPaired = change.products.every((_, i) => {
    const [a, b] = [shapes[2 * i], shapes[2 * i + 1]]
    return a !== undefined && b !== undefined && a[1] === columns && b[1] === a[0] && b[0] === shapes[1]![0]
  })
  if (!isPaired || shapes.length !== 2 * change.products.length) return 'products of other sizes'
  const isOfModels = 'modelInputs' in change && change.products.every(({ model }) => model < change.modelInputs.length)
  return change.kind === 'products' || isOfModels ? undefined : 'products of models that are not merged'
}

/** Checks that the two factors of each module lie side by side. @returns what is wrong, if anything is, and where */
export function checkPairs(tensors: readonly Named[]): { readonly problem: string; readonly at: number } | undefined {
  for (const [at, { name, dtype, shape, operation }] of tensors.entries()) {
    if (operation.kind === 'factors') {
      const next = tensors[at + 1]
      const isPair =
        next?.operation.kind === 'other-factor' &&
        next.operation.of === name &&
        next.name === operation.other &&
        next.dtype === dtype &&
        next.shape.length === 2 &&
        next.shape[1] === shape[0] &&
        next.shape[0] === outputsOf(operation)
      if (!isPair) return { problem: 'a factor without the other one behind it', at }
    } else if (operation.kind === 'other-factor' && tensors[at - 1]?.operation.kind !== 'factors')
      return { problem: 'a factor without the other one before it', at }
  }
  return undefined
}

function outputsOf({ change, inputs }: Factors): number | undefined {
  const [first, second] = inputs
  return 'transposed' in change ? first!.source.shape[change.transposed ? 1 : 0] : second?.source.shape[0]
}
