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

/** One model of a merge, over all tensors that it has a part in. */
export interface DiagnosedModel {
  readonly model: string
  readonly elementCount: number
  readonly norm: number
  /** To the base: ‖x − base‖, the same ÷ ‖base‖, and the cosine of x and the base; null where there is no base. */
  readonly change: number | null
  readonly relative: number | null
  readonly cosine: number | null
  readonly nonFinite: number
}

/** Two models of a merge, over all tensors that both have a part in. */
export interface DiagnosedPair {
  readonly models: readonly [string, string]
  /** ‖x − y‖ ÷ the mean of ‖x‖ and ‖y‖. */
  readonly apart: number | null
  readonly cosine: number | null
  /** Of what both change in the base, where there is one: cosine, and the share of the elements that they change in opposite directions. */
  readonly changes: { readonly cosine: number | null; readonly conflicts: number | null } | null
}

/** One tensor of the output, and the models that it is made of. */
export interface DiagnosedTensor {
  readonly name: string
  readonly models: readonly DiagnosedModel[]
  readonly pairs: readonly DiagnosedPair[]
}

/** What was found of a recipe's models before they are merged. */
export interface Diagnosis {
  readonly base: string | null
  readonly models: readonly DiagnosedModel[]
  readonly pairs: readonly DiagnosedPair[]
  readonly findings: readonly Finding[]
  /** Weights by which all models change the base alike, whose sum is 1; null without a base, or where a model changes nothing. */
  readonly weights: Readonly<Record<string, number>> | null
  readonly tensors: readonly DiagnosedTensor[]
  /** Tensors of the output that are made of one model, or of rows of several vocabularies, and were not looked at. */
  readonly skipped: number
}
