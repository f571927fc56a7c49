import type { MergeConfig } from '@mk/config'
import type { HubOrigin } from '@mk/checkpoint'
import type { TensorSource } from '@mk/source'
import type { EncodedGgmlType } from '@mk/gguf'
import type { WeightRule } from '@mk/methods'
import type { Dtype } from '@mk/safetensors'

/**
 * Everything that a merge will do, as plain JSON: where each output tensor lies, what it is made of, and the text of
 * every small file. Whoever sees the inputs and the output folder can carry out any part of it.
 */
export interface MergePlan {
  readonly version: 1
  /** What merges where an operation names no other. */
  readonly method: string
  /** Keys the random masks, together with tensor name and model position. */
  readonly seed: number
  readonly inputs: readonly PlannedInput[]
  /** The merges that inputs are, of this merge and of one another, each after those that it is made of; absent where there are none. */
  readonly stages?: readonly PlannedStage[]
  /**
   * Of an adapter: what norms are counted of for the weights of the merge that it is made from, which has more tensors than change. Operations
   * have the index as `counted`. Absent where there are no such weights, and once they are numbers.
   */
  readonly counted?: readonly WeightGroup[]
  readonly files: readonly PlannedFile[]
  /** In the order in which they lie in the files. */
  readonly tensors: readonly PlannedTensor[]
  /** Small files written as they stand here. */
  readonly documents: readonly { readonly name: string; readonly text: string }[]
  /** Small files copied byte for byte. */
  readonly copies: readonly { readonly name: string; readonly from: string }[]
  /** What a person should know though the output is right. */
  readonly notes: readonly string[]
  /** What the recipe says that changes nothing, and so may be meant otherwise. */
  readonly warnings: readonly string[]
}

/** A model that a plan reads, and the state of its files when it was planned. */
export interface PlannedInput {
  /** The reference as the config writes it. */
  readonly label: string
  readonly folder: string | undefined
  /** The merge that it is, where it is none of the files' models. */
  readonly stage?: string
  /** The parameter that names it, where it is no model but a file of tensors. */
  readonly parameter?: string
  /** Where at the hub it comes from, at which commit. */
  readonly hub?: HubOrigin
  /** The files that were read for the plan, and their states then (`fileState`): others are no longer those that were planned for. */
  readonly states: Readonly<Record<string, string>>
}

/** A merge that another one reads: its tensors are computed range by range, and lie in no file. */
export interface PlannedStage {
  /** What sources call it: its name in the recipe, or a sum of models written out. */
  readonly name: string
  readonly method: string
  readonly inputs: readonly PlannedInput[]
  /** Those that are read. `dtype` is what they are delivered in. */
  readonly tensors: readonly Pick<PlannedTensor, 'name' | 'dtype' | 'shape' | 'operation'>[]
}

/** Tensors whose weights follow from norms over all of them. */
export interface WeightGroup {
  readonly rule: WeightRule
  /** The merge that others are made of; absent: that of the plan. */
  readonly stage?: string
  readonly labels: readonly string[]
  readonly baseLabel: string | undefined
  readonly tensors: readonly CountedTensor[]
}

/** What the norms of a tensor's models are counted of. */
export interface CountedTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** What is taken off each model's elements, where anything is. */
  readonly base?: TensorSource
  readonly models: readonly CountedModel[]
}

/** The elements of a model's tensor, or the sum of products that its task vector is: 2·i and 2·i + 1 are A and B of the i-th. */
export type CountedModel =
  | { readonly kind: 'elements'; readonly source: TensorSource }
  | { readonly kind: 'products'; readonly factors: readonly TensorSource[]; readonly scales: readonly number[] }

/** A file of weights of the output, with its size in bytes before anything is written. */
export type PlannedFile = {
  readonly name: string
  readonly fileBytes: number
} & (
  | { readonly format: 'safetensors'; readonly metadata: Readonly<Record<string, string>> }
  /** `pieces` is all that is known before any arithmetic: the header, and tensors of constants. */
  | { readonly format: 'gguf'; readonly pieces: readonly FilePiece[] }
)

/** Some bytes of a file. */
export interface FilePiece {
  readonly byteStart: number
  readonly base64: string
}

/** A tensor of the output: its place in a file, and what it is made of. */
export interface PlannedTensor {
  readonly name: string
  /** What the arithmetic ends with. */
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Index into `files`, and the absolute position there. */
  readonly file: number
  readonly byteStart: number
  /** How it lies there where not element by element, as `dtype`, from `byteStart` on. */
  readonly rows?: StoredRows
  readonly operation: Operation
  /** What of it is made; absent: all. Only in the plan of a part. */
  readonly share?: TensorShare
}

/** A part of the chunks of a tensor: from where to where, from 0 to 1. */
export interface TensorShare {
  readonly from: number
  readonly to: number
}

/** Rows that go to places of their own, in a type of their own. */
export interface StoredRows {
  readonly type: EncodedGgmlType
  /** Of consecutive elements of a row; plain numbers are blocks of one. */
  readonly blockElements: number
  readonly blockBytes: number
  /** The largest magnitude that is finite in a block; absent where the dtype tells. */
  readonly largest?: number
  /** Elements of a row: the last dimension, but of a tensor of one dimension each element is a row. */
  readonly columns: number
  /** Added to each element. */
  readonly add?: number
  /** What of the tensor is in none is not stored. */
  readonly runs: readonly RowRun[]
}

/** Consecutive rows of a tensor that lie together. */
export interface RowRun {
  readonly rowStart: number
  readonly rowCount: number
  readonly byteStart: number
  /** The rows, counted as [heads, 2, n], lie as [heads, n, 2]. */
  readonly interleaveHeads?: number
}

/** How the elements of a tensor of the output come about. */
export type Operation =
  /** One input's elements, converted to the output dtype. */
  | { readonly kind: 'copy'; readonly input: PlannedTensorInput }
  /** The merge method, with its parameters as it takes them: scalars, and per-model ones as arrays. */
  | {
      readonly kind: 'merge'
      /** Absent: the plan's. */
      readonly method?: string
      readonly base?: PlannedTensorInput
      readonly models: readonly PlannedTensorInput[]
      readonly parameters: Readonly<Record<string, ParameterValue>>
      /** The tensors of files that parameters name, by parameter: one for each model. */
      readonly tensors?: Readonly<Record<string, readonly PlannedTensorInput[]>>
      /** Of the tensor's layer in the output, 0 … 1; only where the method goes by it. */
      readonly layerDepth?: number
      /** Where a method works on the inputs of a layer that is stored as inputs × outputs. */
      readonly inputSide?: 'rows'
      /** Which of the plan's `counted` its weights follow from. */
      readonly counted?: number
    }
  /** Rows of an embedding merged linearly over the models that have the token; see `RowWeights`. */
  | { readonly kind: 'rows'; readonly inputs: readonly PlannedTensorInput[]; readonly weights: readonly RowWeights[] }
  /** SLERP of the rows that both models have, the only model's row elsewhere. */
  | {
      readonly kind: 'slerp-rows'
      readonly inputs: readonly PlannedTensorInput[]
      readonly weights: readonly RowWeights[]
      readonly t: number
    }
  /** The factor A [rank, in] of what a merge changes in a module of its base; what gives it gives the other one, too. */
  | {
      readonly kind: 'factors'
      /** The tensor B [out, rank]. */
      readonly other: string
      readonly inputs: readonly PlannedTensorInput[]
      readonly change: FactorChange
    }
  | { readonly kind: 'other-factor'; readonly of: string }

/** What the change of a module is made of, and how its factors come about. */
export type FactorChange =
  /** The sum of products of adapters, of which inputs 2·i and 2·i + 1 are A and B. */
  | {
      readonly kind: 'products'
      readonly products: readonly PlannedProduct[]
      /** By what the scales are still to be multiplied: what the method makes of weights that follow from norms. */
      readonly weighing?: ChangeMethod & { readonly hasBase: boolean; readonly modelCount: number }
    }
  /** Input 0 less input 1, or input 0 itself where there is no other: decomposed while it streams. */
  | {
      readonly kind: 'difference'
      /** Whether the weight is stored as [in, out]. */
      readonly transposed: boolean
    }
  /** What a method that works on whole matrices makes of task vectors: decomposed as it streams, and never held. */
  | (ChangeMethod & {
      readonly kind: 'task-vectors'
      readonly transposed: boolean
      /** Whether task vectors are the models less input 0; else they are the models, which come first. */
      readonly hasBase: boolean
      readonly modelCount: number
      /** Whether input 0 is the merge's base but not the adapter's, which is the last input. */
      readonly isMoved: boolean
      /** The parameters that name files, whose tensors are inputs after the models: for each parameter one for each model. */
      readonly files?: readonly string[]
      /** As an operation has it. */
      readonly inputSide?: 'rows'
    })
  /** Products of adapters that a method merges in a basis of their own, or their factors, each with its like. */
  | (ChangeMethod & {
      readonly kind: 'knots' | 'paired-factors'
      readonly products: readonly PlannedProduct[]
      /** Of the models that the method merges, in its order. */
      readonly modelInputs: readonly number[]
    })

/** The method that makes a change, as an operation has it. */
export interface ChangeMethod {
  /** Absent: the plan's. */
  readonly method?: string
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly layerDepth?: number
  /** Which of the plan's `counted` its weights follow from. */
  readonly counted?: number
}

/** scale · B·A */
export interface PlannedProduct {
  readonly scale: number
  /** Which of the models that are merged it belongs to, from 0. */
  readonly model: number
}

/** Names the method of the tensors that no filter matches. */
export const mainMethod = ({ mergeMethod }: MergeConfig): string => mergeMethod.at(-1)!.method

/** Names the method that merges a tensor of a plan. */
export const methodOf = (plan: Pick<MergePlan, 'method'>, operation: Operation): string =>
  (operation.kind === 'merge'
    ? operation.method
    : operation.kind === 'factors'
      ? methodOfChange(operation.change)?.method
      : undefined) ?? plan.method

const methodOfChange = (change: FactorChange): ChangeMethod | undefined =>
  change.kind === 'products' ? change.weighing : change.kind === 'difference' ? undefined : change

/** Tells whether a method gives a tensor. */
const hasMethod = (operation: Operation): boolean =>
  operation.kind === 'merge' || (operation.kind === 'factors' && 'parameters' in operation.change)

/** What of a plan or a stage names methods. */
interface PlanParts {
  readonly method: string
  readonly tensors: readonly Pick<PlannedTensor, 'operation'>[]
}

/**
 * Lists the methods that a plan merges with, its stages included, the one of the plan first if it is among them; that one alone where
 * nothing is merged.
 */
export function listMethods(plan: PlanParts & { readonly stages?: readonly PlanParts[] }): readonly string[] {
  const { method, stages = [] } = plan
  const used = new Set<string>()
  for (const part of [plan, ...stages])
    for (const { operation } of part.tensors) if (hasMethod(operation)) used.add(methodOf(part, operation))
  return used.size === 0
    ? [method]
    : [method, ...used].filter((name, index, all) => used.has(name) && all.indexOf(name) === index)
}

/** A parameter as a method takes it: one value, or one for each model. */
export type ParameterValue = number | boolean | string | readonly (number | boolean | string)[]

/** A tensor of an input, as a tensor of the output takes it. */
export interface PlannedTensorInput {
  /** Index into `inputs`. */
  readonly input: number
  /** The tensor's name in that input. */
  readonly name: string
  readonly source: TensorSource
}

/** A weight per row, as runs. */
export type RowWeights = readonly { readonly rowCount: number; readonly weight: number }[]

/** Lists the inputs of an operation in the order of a method's slots: the base first where there is one, what parameters name last. */
export function operationInputs(operation: Operation): readonly PlannedTensorInput[] {
  switch (operation.kind) {
    case 'copy':
      return [operation.input]
    case 'merge': {
      const { base, models, tensors } = operation
      if (tensors === undefined) return base === undefined ? models : [base, ...models]
      return [...(base === undefined ? [] : [base]), ...models, ...Object.values(tensors).flat()]
    }
    case 'rows':
    case 'slerp-rows':
    case 'factors':
      return operation.inputs
    case 'other-factor':
      return []
    default:
      return operation satisfies never
  }
}

/** Lists the sources of all tensors that are read for a plan, those of its stages and those that norms are counted of included. */
export function plannedSources({
  tensors,
  stages = [],
  counted = [],
}: Pick<MergePlan, 'tensors' | 'stages' | 'counted'>): readonly TensorSource[] {
  const sources: TensorSource[] = []
  for (const { tensors: ofPart } of [{ tensors }, ...stages])
    for (const { operation } of ofPart) for (const { source } of operationInputs(operation)) sources.push(source)
  for (const group of counted) for (const tensor of group.tensors) sources.push(...countedSources(tensor))
  return sources
}

/** Lists the sources that norms are counted of. */
export const countedSources = ({ base, models }: CountedTensor): readonly TensorSource[] => [
  ...(base === undefined ? [] : [base]),
  ...models.flatMap((model) => (model.kind === 'elements' ? [model.source] : model.factors)),
]

/** Lists the models that are read for a plan, those of its stages included. */
export const plannedModels = ({ inputs, stages = [] }: Pick<MergePlan, 'inputs' | 'stages'>): readonly PlannedInput[] =>
  [...inputs, ...stages.flatMap((stage) => stage.inputs)].filter(({ stage }) => stage === undefined)
