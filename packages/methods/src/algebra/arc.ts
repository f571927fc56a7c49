/**
 * How far a cosine may be from what it says. Dot products are sums of float32 products, so that a cosine of ±1 comes out up to
 * 1.2e-7 off: where 1 − |cos| is within this, there is no telling the angle, or which way it turns.
 */
export const cosineNoise = 1e-6

/** A length up to this is not divided by. */
const smallestLength = 1e-8
/** Beyond this |cos θ| the great circle is as good as a straight line. */
const straight = 0.9995

/** Computes the coefficients of a and b in slerp(a, b; t), from ⟨a,a⟩, ⟨b,b⟩ and ⟨a,b⟩. */
export function slerpCoefficients(t: number, { aa, bb, ab }: { aa: number; bb: number; ab: number }): [number, number] {
  const length = (squared: number): number => (Math.sqrt(squared) > smallestLength ? Math.sqrt(squared) : 1)
  const cos = ab / (length(aa) * length(bb))
  return Math.abs(cos) > straight ? [1 - t, t] : arcCoefficients(t, Math.acos(cos))
}

/** Computes sin((1−t)θ)/sin θ and sin(tθ)/sin θ, where sin θ is not 0. */
export const arcCoefficients = (t: number, angle: number): [number, number] => [
  Math.sin((1 - t) * angle) / Math.sin(angle),
  Math.sin(t * angle) / Math.sin(angle),
]
