/** What the names of a checkpoint's tensors may have at most, since describing them takes more than reading them. */
export const limits = {
  /** The largest quantized mixtures of experts have about 210,000. */
  tensors: 2 ** 18,
  /** Towers, encoders, decoders: a handful. Prefixes of modules are compared with one another. */
  stacks: 64,
  /** Numbers of a name that may count layers: experts in a layer in a tower are three. */
  nestedNumbers: 8,
} as const
