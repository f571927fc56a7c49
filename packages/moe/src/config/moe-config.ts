import type { DtypeName } from '@mk/config'

/** The ways in which router rows come to be. */
export const gateModes = ['hidden', 'hidden_last', 'hidden_avg', 'cheap_embed', 'random', 'uniform_random'] as const

/** How the rows of the routers come about. */
export type GateMode = (typeof gateModes)[number]

/** Tells whether router rows are drawn, so that prompts have nothing to say. */
export const isDrawn = (mode: GateMode): mode is 'random' | 'uniform_random' =>
  mode === 'random' || mode === 'uniform_random'

/** One feed-forward network of the output, in every layer: where it is from, and when the router is to choose it. */
export interface ExpertConfig {
  /** A model reference as a recipe writes it. */
  readonly model: string
  readonly positivePrompts: readonly string[]
  readonly negativePrompts: readonly string[]
  /** Standard deviation of what is added to each weight; 0 adds nothing. */
  readonly noiseScale: number
  /** Factor on the last projection, and so on what the expert adds. */
  readonly residualScale: number
}

/** What a file of `mergekit-moe` says. */
export interface MoeConfig {
  /** Gives everything but the feed-forward networks, and reads the prompts. */
  readonly baseModel: string
  readonly experts: readonly ExpertConfig[]
  /** Experts that every token goes through. */
  readonly sharedExperts: readonly ExpertConfig[]
  readonly gateMode: GateMode
  readonly dtype?: DtypeName
  readonly expertsPerToken: number
  /** The beginning of an output's name; absent: the first that fits. */
  readonly architecture?: string
}
