import type { LinalgJob } from '@mk/linalg'
import {
  createMethodContext,
  embeddingSlerp,
  type MethodDefinition,
  type MethodParameters,
  rowWeightedLinear,
  tensorParameters,
  withTensors,
} from '@mk/methods'
import { type DenseMatrix, type Expression, input, type Session } from '@mk/tensor'
import { type Operation, operationInputs, type ParameterValue, type RowWeights } from '../plan/merge-plan.ts'
import { inputSideOf } from '../plan/check-matrices.ts'
import { asMethod } from './own-method.ts'

/** A tensor of a merge, and what its method needs to know. */
export interface TensorToCompute {
  readonly name: string
  readonly operation: Operation
  /** What the user calls the inputs of the merge. */
  readonly labels: readonly string[]
  readonly method: MethodDefinition
  readonly seed: number
  /** Carries out what the method asks of matrices in memory. */
  readonly runLinalg: (job: LinalgJob) => Promise<readonly Float64Array[]>
  /** Reads a matrix that a parameter's file has; absent: no method that works on matrices merges the tensor. */
  readonly readMatrix?: (slot: number) => Promise<DenseMatrix>
  readonly warn: (message: string) => void
}

/** Has the method say what each element of a tensor is, after the passes over its inputs that it asks for. */
export async function expressionOf(
  { name, operation, labels, method, seed, runLinalg, readMatrix, warn }: TensorToCompute,
  session: Session,
): Promise<Expression> {
  const [base, models] =
    operation.kind === 'merge' ? [operation.base, operation.models] : [undefined, operationInputs(operation)]
  const names = { base: base && labels[base.input], models: models.map(({ input }) => labels[input]!) }
  const layerDepth = operation.kind === 'merge' ? operation.layerDepth : undefined
  const facts = {
    tensorName: name,
    seed,
    warn,
    layerDepth,
    inputSide: inputSideOf(operation),
    names,
    runLinalg,
    readMatrix,
  }
  const context = createMethodContext(session, facts)
  switch (operation.kind) {
    case 'copy':
      return input(0)
    case 'merge': {
      const first = operation.base === undefined ? 0 : 1
      const inputs = {
        base: operation.base === undefined ? undefined : input(0),
        models: operation.models.map((_, model) => input(first + model)),
      }
      const parameters = withFiles(filesOf(operation), method)
      return asMethod(method, name, async () => {
        const result: unknown = await method.merge(inputs, parameters, context)
        if (!isExpression(result))
          throw new TypeError('it returned no expression; expected what the operations of @mk/methods make')
        return result
      })
    }
    case 'rows':
      return rowWeightedLinear(
        operation.inputs.map((_, slot) => input(slot)),
        operation.weights.map(expandRows),
      )
    case 'slerp-rows': {
      const [a, b] = operation.weights.map((weights, slot) => ({
        tensor: input(slot),
        presence: expandRows(weights).map((weight) => Number(weight !== 0)),
      }))
      return embeddingSlerp(a!, b!, operation.t, context)
    }
    case 'factors':
    case 'other-factor':
      throw new TypeError(`${name}: factors are not computed element by element`)
    default:
      return operation satisfies never
  }
}

/** Parameters of which some name files, whose tensors are inputs: for each of these one for each model. */
interface FileParameters {
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly files: readonly string[]
  readonly modelCount: number
  /** Of the first of those inputs. */
  readonly firstSlot: number
}

/** Tells which inputs of a merge are tensors of files: those after the models. */
export const filesOf = ({
  base,
  models,
  tensors = {},
  parameters,
}: Extract<Operation, { kind: 'merge' }>): FileParameters => ({
  parameters,
  files: Object.keys(tensors),
  modelCount: models.length,
  firstSlot: models.length + (base === undefined ? 0 : 1),
})

/** The parameters as the method takes them: tensors of files are inputs, and undefined where the files have none. */
export function withFiles(
  { parameters, files, modelCount, firstSlot }: FileParameters,
  method: MethodDefinition,
): MethodParameters {
  const ofModels = <T>(of: (model: number) => T) => Array.from({ length: modelCount }, (_, model) => of(model))
  const none = tensorParameters(method, 'matrix').map((name) => [name, ofModels(() => undefined)] as const)
  const tensors = files.map(
    (name, index) => [name, ofModels((model) => input(firstSlot + index * modelCount + model))] as const,
  )
  return withTensors(parameters as MethodParameters, Object.fromEntries([...none, ...tensors]))
}

const isExpression = (value: unknown): value is Expression =>
  typeof value === 'object' && value !== null && typeof (value as { op?: unknown }).op === 'string'

function expandRows(weights: RowWeights): Float32Array {
  const rows = new Float32Array(weights.reduce((sum, { rowCount }) => sum + rowCount, 0))
  let row = 0
  for (const { rowCount, weight } of weights) rows.fill(weight, row, (row += rowCount))
  return rows
}
