import type { TensorSource } from '@mk/source'

/** What an adapter is to be made of, and how. */
export interface ExtractionSettings {
  /** The most ranks of a module; 128 if absent. */
  readonly maxRank?: number
  /** Whether √S goes to both factors, or S to A; true if absent. */
  readonly distributeScale?: boolean
  /** Whether embeddings and heads are decomposed, not saved whole. */
  readonly embedLora?: boolean
  /** Modules to save whole, by full name or last component. */
  readonly saveModules?: readonly string[]
  /** Patterns that a module's name must, or must not, have a match for; the second wins. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Singular values must be larger; 0 if absent. */
  readonly svEpsilon?: number
  /** As few ranks as hold this share of the difference's squared norm; all of `maxRank` if absent. */
  readonly energy?: number
  /** Whether to leave out what has changed, but can't be decomposed. */
  readonly skipUndecomposable?: boolean
  /** Of the random sketch; 0 if absent. */
  readonly seed?: number
}

/** A weight, or a bias, of both models. */
export interface ChangedTensor {
  readonly name: string
  readonly fine: TensorSource
  /** Absent where the base has none, as for a head that it ties. */
  readonly base: TensorSource | undefined
}

/** A module whose difference becomes two factors. */
export interface DecomposedModule extends ChangedTensor {
  readonly module: string
  readonly isEmbedding: boolean
  /** Whether the weight is stored as [in, out]: an embedding, or GPT-2's Conv1D. */
  readonly transposed: boolean
  readonly bias: ChangedTensor | undefined
}

/** A module that is saved whole where it has changed. */
export interface WholeModule {
  readonly module: string
  readonly tensors: readonly ChangedTensor[]
  /** Why it isn't decomposed. */
  readonly reason: 'embedding' | 'asked' | 'undecomposable' | 'vocabulary'
}

/** What an extraction will look at: plain JSON, known from headers. */
export interface ExtractionPlan {
  readonly decomposed: readonly DecomposedModule[]
  readonly whole: readonly WholeModule[]
  /** Modules that patterns or settings leave out. */
  readonly leftOut: readonly string[]
  /** Every module of the model that has a weight, for names that are to mean one thing. */
  readonly modules: readonly string[]
  /** What comes before names of modules but those of heads, where transformers' class has it and the files do not. */
  readonly prefix: string
  readonly heads: readonly string[]
  /** The head that is the embedding: PEFT gives the two one matrix no longer once the embedding is saved whole. */
  readonly tiedHead: { readonly module: string; readonly embedding: string } | undefined
  /** Rows of both embeddings, where they differ. */
  readonly vocabulary: { readonly fine: number; readonly base: number } | undefined
  /** Whether any weight is stored as GPT-2's are. */
  readonly fanInFanOut: boolean
  readonly notes: readonly string[]
}
