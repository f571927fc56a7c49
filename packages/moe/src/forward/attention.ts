/** Sizes of the heads of a layer: several heads of queries share one of keys and values. */
export interface Heads {
  readonly heads: number
  readonly keyHeads: number
  readonly headSize: number
}

/** One text's rows of queries [tokens, heads × size], keys and values [tokens, keyHeads × size]. */
export interface Attended {
  readonly queries: Float32Array
  readonly keys: Float32Array
  readonly values: Float32Array
  readonly tokens: number
  /** How many tokens back a token sees, itself included; absent: all. */
  readonly window?: number
  /** Computes the rows of the tokens [start, end) only; absent: all. */
  readonly start?: number
  readonly end?: number
}

/**
 * Computes for each token and head the mean of the values of the tokens up to it, weighted by softmax(q·k / √size).
 * @param into [tokens, heads × size]
 */
export function attend(
  { queries, keys, values, tokens, window = Infinity, start = 0, end = tokens }: Attended,
  { heads, keyHeads, headSize }: Heads,
  into: Float32Array,
): void {
  const scale = headSize ** -0.5
  const [width, keyWidth] = [heads * headSize, keyHeads * headSize]
  const weights = new Float64Array(tokens)
  const sums = new Float64Array(headSize)
  for (let head = 0; head < heads; head++) {
    const keyHead = Math.floor(head / (heads / keyHeads)) * headSize
    for (let token = start; token < end; token++) {
      const query = token * width + head * headSize
      const first = Math.max(0, token - window + 1)
      let most = -Infinity
      for (let other = first; other <= token; other++) {
        const key = other * keyWidth + keyHead
        let dot = 0
        for (let i = 0; i < headSize; i++) dot += queries[query + i]! * keys[key + i]!
        weights[other] = dot * scale
        most = Math.max(most, weights[other]!)
      }
      let total = 0
      sums.fill(0)
      for (let other = first; other <= token; other++) {
        const weight = Math.exp(weights[other]! - most)
        total += weight
        const value = other * keyWidth + keyHead
        for (let i = 0; i < headSize; i++) sums[i]! += weight * values[value + i]!
      }
      for (let i = 0; i < headSize; i++) into[query + i] = sums[i]! / total
    }
  }
}
