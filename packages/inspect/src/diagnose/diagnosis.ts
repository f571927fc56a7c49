/** Something that a person should know of a recipe's models before they are merged. */
export interface Finding {
  readonly code:
    | 'not-finite'
    | 'as-base'
    | 'equal'
    | 'near-duplicate'
    | 'other-origin'
    | 'dominates'
    | 'hardly-counts'
    | 'outlier'
    | 'opposed'
  readonly models: readonly string[]
  readonly text: string
}

/** What is measured of one model. To the base: ‖x − base‖, the same ÷ ‖base‖, and the cosine of x and the base; null where there is no base. */
export interface ModelFigures {
  readonly norm: number
  readonly change: number | null
  readonly relative: number | null
  readonly cosine: number | null
}

/** One model of a merge, over all tensors that it has a part in. */
export interface DiagnosedModel extends ModelFigures {
  readonly model: string
  readonly elementCount: number
  /** Elements that are infinite or NaN, of those that were read. */
  readonly nonFinite: number
  /** By how much each figure may be off, as a standard deviation, where tensors were read in part, 0 where none of its own was; null where all were read whole. */
  readonly standardErrors: ModelFigures | null
}

/** What is measured of two models. */
export interface PairFigures {
  /** ‖x − y‖ ÷ the mean of ‖x‖ and ‖y‖. */
  readonly apart: number | null
  readonly cosine: number | null
  /** Of what both change in the base, where there is one: cosine, and the share of the elements that they change in opposite directions. */
  readonly changes: { readonly cosine: number | null; readonly conflicts: number | null } | null
}

/** Two models of a merge, over all tensors that both have a part in. */
export interface DiagnosedPair extends PairFigures {
  readonly models: readonly [string, string]
  readonly standardErrors: PairFigures | null
}

/** One tensor of the output, and the models that it is made of. */
export interface DiagnosedTensor {
  readonly name: string
  /** The share of its elements that was read. */
  readonly readShare: number
  readonly models: readonly DiagnosedModel[]
  readonly pairs: readonly DiagnosedPair[]
}

/** How much of what is merged was read. */
export interface ReadPart {
  readonly elementCount: number
  readonly readElements: number
  readonly tensorCount: number
  /** Tensors that were read in part, and of which figures are estimates. */
  readonly sampledTensors: number
}

/** What was found of a recipe's models before they are merged. */
export interface Diagnosis {
  readonly base: string | null
  readonly read: ReadPart
  readonly models: readonly DiagnosedModel[]
  readonly pairs: readonly DiagnosedPair[]
  readonly findings: readonly Finding[]
  /** Weights by which all models change the base alike, whose sum is 1; null without a base, or where a model changes nothing. */
  readonly weights: Readonly<Record<string, number>> | null
  /** By how much they may be off; null where there are none, or all was read. */
  readonly weightStandardErrors: Readonly<Record<string, number>> | null
  readonly tensors: readonly DiagnosedTensor[]
  /** Tensors of the output that are made of one model, or of rows of several vocabularies, and were not looked at. */
  readonly skipped: number
}
