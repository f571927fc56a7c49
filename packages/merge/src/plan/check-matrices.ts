import { countMatrices, type MethodDefinition } from '@mk/methods'
import type { MatrixSide } from '@mk/tensor'
import { MergeError } from '../errors.ts'
import { methodOf, type Operation, type PlannedStage, type PlannedTensor } from './merge-plan.ts'

/** Rows of the largest square matrices that are held: 2 GB each, and decomposed within hours. */
const LARGEST = 16_384

/** Tells whether a method works on whole matrices of a tensor. */
export const worksOnMatrices = (
  method: MethodDefinition | undefined,
  { name, shape, operation }: Pick<PlannedTensor, 'name' | 'shape' | 'operation'>,
): boolean => {
  if (method?.matrices === undefined) return false
  if (operation.kind === 'factors') return operation.change.kind === 'task-vectors'
  return operation.kind === 'merge' && countMatrices(name, shape) > 0
}

/** Tells which side of a tensor's matrices the inputs of a layer meet, as far as a plan says. */
export function inputSideOf(operation: Operation): MatrixSide {
  if (operation.kind === 'merge') return operation.inputSide ?? 'columns'
  const change = operation.kind === 'factors' ? operation.change : undefined
  return (change?.kind === 'task-vectors' ? change.inputSide : undefined) ?? 'columns'
}

/** Gives the rows of the square matrices that a method makes of a tensor's matrices. */
export function squareSize(
  { matrices }: MethodDefinition,
  shape: readonly number[],
  inputSide: MatrixSide = 'columns',
): number {
  const [rows, columns] = shape.slice(-2) as [number, number]
  if (matrices === 'columns') return inputSide === 'rows' ? rows : columns
  return Math.min(rows, columns)
}

/** Sees to it that the matrices that a method would make of a tensor can be held. @throws MergeError 'matrix-too-large' */
export function checkMatrixSize(
  method: MethodDefinition,
  { name, shape, inputSide }: Pick<PlannedTensor, 'name' | 'shape'> & { readonly inputSide?: MatrixSide | undefined },
): void {
  if (method.matrices === undefined || countMatrices(name, shape) === 0) return
  const size = squareSize(method, shape, inputSide)
  if (size > LARGEST)
    throw new MergeError({ code: 'matrix-too-large', name, shape, method: method.name, size, most: LARGEST })
}

/** Sees to it that merges which others read can be computed part by part. @throws MergeError 'stage-of-matrices' */
export function checkStagesStream(
  stages: readonly PlannedStage[],
  methods: ReadonlyMap<string, MethodDefinition>,
): void {
  for (const stage of stages) {
    const found = stage.tensors.find((tensor) =>
      worksOnMatrices(methods.get(methodOf(stage, tensor.operation)), tensor),
    )
    if (found === undefined) continue
    const method = methodOf(stage, found.operation)
    throw new MergeError({ code: 'stage-of-matrices', name: stage.name, method, tensor: found.name })
  }
}
