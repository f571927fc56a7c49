/** What is added up over the elements of tensors, in float64. */
export interface MaskSums {
  /** Σ|δ| of the model's changes. */
  ofModel: number
  /** Σ|u| of the merged model's changes, where the model's have their sign. */
  ofMerged: number
  agreeing: number
  changed: number
}

/** Makes sums over nothing. */
export const noSums = (): MaskSums => ({ ofModel: 0, ofMerged: 0, agreeing: 0, changed: 0 })

/** Sets the bits of the elements that both models change in one direction, from the low end of each byte on, and adds up. */
export function addMasked(
  { merged, model, base }: { readonly merged: Float32Array; readonly model: Float32Array; readonly base: Float32Array },
  bits: Uint8Array,
  sums: MaskSums,
): void {
  let { ofModel, ofMerged, agreeing, changed } = sums
  for (let i = 0; i < merged.length; i++) {
    const origin = base[i]!
    const own = model[i]! - origin
    const unified = merged[i]! - origin
    if (own !== 0) changed++
    ofModel += Math.abs(own)
    // No product of theirs: that of small ones would be 0. What isn't finite shows in the first sum or in this one.
    if ((own > 0 && unified > 0) || (own < 0 && unified < 0)) {
      agreeing++
      ofMerged += Math.abs(unified)
      bits[i >> 3]! |= 1 << (i & 7)
    } else if (unified - unified !== 0) ofMerged += Number.NaN
  }
  Object.assign(sums, { ofModel, ofMerged, agreeing, changed })
}
