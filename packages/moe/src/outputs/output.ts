import type { ModelConfig } from '@mk/architecture'

/** The parts of a feed-forward network with a gate, by the names that they have in dense models. */
export const mlpParts = ['gate_proj', 'up_proj', 'down_proj'] as const
export type MlpPart = (typeof mlpParts)[number]

/** What an output's config.json is made of. */
export interface ConfigFacts {
  /** config.json of the base, and its family. */
  readonly base: ModelConfig
  readonly family: string
  readonly sizes: Sizes
  readonly expertCount: number
  readonly expertsPerToken: number
  readonly sharedCount: number
}

/** What the base's tensors tell of it. */
export interface Sizes {
  readonly hidden: number
  readonly intermediate: number
  readonly layers: number
  readonly heads: number
  readonly keyHeads: number
  readonly headSize: number
}

/** What of the models decides whether they can become an output. */
export interface Candidates {
  /** `model_type` of all models; undefined where they differ. */
  readonly family: string | undefined
  readonly families: readonly string[]
  readonly sharedCount: number
  readonly sharedHasPrompts: boolean
  readonly isDrawn: boolean
}

/** A family of mixtures: where the experts of a layer stand in it, and what config.json says. */
export interface MoeOutput {
  readonly title: string
  /** Says why the models can't become one; undefined where they can. */
  refusal(candidates: Candidates): string | undefined
  /** Names after `model.layers.N.`. */
  readonly names: {
    expert(index: number, part: MlpPart): string
    readonly router: string
    shared?(part: MlpPart): string
    readonly sharedGate?: string
  }
  /** What layers have beside norms, projections of attention and experts. */
  readonly extras: readonly ('qkv_bias' | 'o_bias' | 'qk_norm')[]
  /** Extras that each model has to have: zeros where the base has none. */
  readonly zeros?: true
  config(facts: ConfigFacts): Readonly<Record<string, unknown>>
  /** Says what of the base's config.json can't be said; [setting, what it has to be]. */
  limits?(facts: ConfigFacts): readonly (readonly [setting: string, expected: string])[]
}
