import type { MergeConfig } from '@mk/config'
import type { DecomposedModule } from '@mk/lora/portable'
import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import type { ChangeMethod, FactorChange, PlannedTensor, PlannedTensorInput } from '../plan/merge-plan.ts'
import type { MergeOperation } from '../plan/weight-groups.ts'
import type { ProductPart, TensorChange } from './describe-change.ts'

/** What sources call the merge that the adapter is made from. */
export const stageName = '(this merge)'

/** The factors of a module, as they are planned. */
export interface PlannedFactors {
  readonly rank: number
  readonly dtype: Dtype
  readonly inputs: readonly PlannedTensorInput[]
  readonly change: FactorChange
}

/**
 * Plans the factors of what changes in a module.
 * @throws MergeError 'adapter-rank-missing'
 */
export function planFactors(
  { name, transposed, base }: DecomposedModule,
  change: TensorChange,
  tensor: PlannedTensor,
  { rank, dtype, outDtype }: Pick<MergeConfig, 'rank' | 'dtype' | 'outDtype'>,
): PlannedFactors {
  const [rows, columns] = tensor.shape as readonly [number, number]
  const most = Math.min(rank ?? Infinity, rows, columns)
  const asked = dtype !== undefined || outDtype !== undefined
  const stored = (parts: readonly ProductPart[]): Dtype => {
    const own = new Set(parts.flatMap(({ a, b }) => [a.source.dtype, b.source.dtype]))
    const chosen = asked || own.size === 0 ? tensor.dtype : own.size === 1 ? [...own][0]! : 'F32'
    // Numbers of 8 bits have no room for factors.
    return dtypeBytes(chosen) === 1 ? 'F32' : chosen
  }
  const inputsOf = (parts: readonly ProductPart[]) => parts.flatMap(({ a, b }) => [a, b])
  const products = (parts: readonly ProductPart[]) => parts.map(({ scale, model }) => ({ scale, model }))
  switch (change.kind) {
    case 'products': {
      const { parts, weighing } = change
      return {
        rank: Math.min(most, rankOf(parts)),
        dtype: stored(parts),
        inputs: inputsOf(parts),
        change: {
          kind: 'products',
          products: products(parts),
          ...(weighing && {
            weighing: {
              ...methodOfMerge(weighing),
              hasBase: weighing.base !== undefined,
              modelCount: weighing.models.length,
            },
          }),
        },
      }
    }
    case 'knots':
    case 'paired-factors': {
      const { parts, kind, operation } = change
      const { models } = operation
      const own = kind === 'knots' ? rankOf(parts) : parts[0]!.a.source.shape[0]!
      const modelInputs = models.map(({ input }) => input)
      return {
        rank: Math.min(most, own),
        dtype: stored(parts),
        inputs: inputsOf(parts),
        change: {
          kind,
          products: products(parts),
          modelInputs,
          ...methodOfMerge(operation),
        },
      }
    }
    case 'task-vectors': {
      if (rank === undefined)
        throw new MergeError({ code: 'adapter-rank-missing', tensor: name, reason: change.reason })
      const { operation, isOverZero, isMoved, parts } = change
      const { models, tensors = {}, inputSide } = operation
      const own: PlannedTensorInput = { input: 0, name, source: base! }
      return {
        rank: most,
        dtype: stored(parts),
        inputs: [
          ...(isOverZero ? [] : [operation.base ?? own]),
          ...models,
          ...Object.values(tensors).flat(),
          ...(isMoved ? [own] : []),
        ],
        change: {
          kind: 'task-vectors',
          transposed,
          hasBase: !isOverZero,
          modelCount: models.length,
          isMoved,
          ...methodOfMerge(operation),
          ...(operation.tensors !== undefined && { files: Object.keys(tensors) }),
          ...(inputSide && { inputSide }),
        },
      }
    }
    case 'difference': {
      if (rank === undefined)
        throw new MergeError({ code: 'adapter-rank-missing', tensor: name, reason: change.reason })
      const { operation, isChange } = change
      const input = 'input' in operation ? operation.input.input : 0
      const merged: PlannedTensorInput = {
        input,
        name,
        source:
          operation.kind === 'copy'
            ? operation.input.source
            : {
                kind: 'merged',
                stage: stageName,
                tensor: name,
                dtype: 'F32',
                shape: tensor.shape,
                storedAs: tensor.dtype,
              },
      }
      return {
        rank: most,
        dtype: stored(change.parts),
        inputs: isChange ? [merged] : [merged, { input, name, source: base! }],
        change: { kind: 'difference', transposed },
      }
    }
    case 'none':
    case 'whole':
      throw new TypeError(`${name}: nothing of it is decomposed`)
    default:
      return change satisfies never
  }
}

const methodOfMerge = ({ method, parameters, layerDepth, counted }: MergeOperation): ChangeMethod => ({
  parameters,
  ...(method !== undefined && { method }),
  ...(layerDepth !== undefined && { layerDepth }),
  ...(counted !== undefined && { counted }),
})

const rankOf = (parts: readonly ProductPart[]): number => parts.reduce((sum, { a }) => sum + a.source.shape[0]!, 0)
