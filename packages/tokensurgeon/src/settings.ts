/** How rows of tokens that MODEL lacks are made. */
export const approximationMethods = [
  'omp',
  'common_interpolation',
  'subword',
  'mean',
  'zero',
  'randn',
  'john_hewitt',
  'landmark_pca',
  'stb',
  'mp_rope',
] as const
/** The name of one of `approximationMethods`. */
export type ApproximationMethod = (typeof approximationMethods)[number]

/** How `common_interpolation` weighs the nearest shared tokens. */
export const weightSchemes = ['distance_proportional', 'barycentric', 'least_squares'] as const
/** The name of one of `weightSchemes`. */
export type WeightScheme = (typeof weightSchemes)[number]

/** What `subword` makes of the rows of the pieces. */
export const subwordMethods = ['mean', 'sum', 'weighted_mean', 'first_last'] as const
/** The name of one of `subwordMethods`. */
export type SubwordMethod = (typeof subwordMethods)[number]

/** For which matrices a match holds. */
export const matchChoices = ['no', 'yes', 'lm_head', 'embed'] as const
/** One of `matchChoices`. */
export type MatchChoice = (typeof matchChoices)[number]

/** How a vocabulary is transplanted, with defaults filled in. */
export interface SurgeonSettings {
  readonly method: ApproximationMethod
  /** Shared tokens that a row is made of, at most, by `omp`, `common_interpolation`, `stb` and `mp_rope`. */
  readonly k: number
  /** Whether `common_interpolation` measures by angle. */
  readonly cosineSimilarity: boolean
  readonly weightScheme: WeightScheme
  readonly subwordMethod: SubwordMethod
  /** Tokens whose rows are made at once, as far as memory allows; 0: as many as that. It changes no byte. */
  readonly batchSize: number
  readonly prefixMatch: MatchChoice
  readonly byteMatch: MatchChoice
  /** Whether tokens that look untrained count as lacking. */
  readonly magikarp: boolean
  /** Standard deviation of what is added to approximated rows. */
  readonly newVocabNoise: number
  /** Factor on approximated rows, after the noise. */
  readonly newVocabScale: number
}

/** What holds where nothing else is said. */
export const defaultSettings: SurgeonSettings = {
  method: 'omp',
  k: 64,
  cosineSimilarity: false,
  weightScheme: 'distance_proportional',
  subwordMethod: 'mean',
  batchSize: 512,
  prefixMatch: 'no',
  byteMatch: 'no',
  magikarp: false,
  newVocabNoise: 0,
  newVocabScale: 1,
}

/** The methods that `k` means something to. */
export const usesK = (method: ApproximationMethod): boolean =>
  ['omp', 'common_interpolation', 'stb', 'mp_rope'].includes(method)

/** The methods that compare rows of shared tokens, and so need some. */
export const usesShared = (method: ApproximationMethod): boolean => [...sharedMethods, ...donorMethods].includes(method)

const donorMethods: readonly ApproximationMethod[] = ['omp', 'common_interpolation', 'mp_rope']
const sharedMethods: readonly ApproximationMethod[] = ['landmark_pca', 'stb']

/** One of the matrices over the vocabulary. */
export type Side = 'embed' | 'lm_head'

/** Tells whether a match holds for a matrix. */
export const holdsFor = (choice: MatchChoice, side: Side): boolean => choice === 'yes' || choice === side
