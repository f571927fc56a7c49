/** A diagonal matrix plus ρ·z·zᵀ: poles ascending and apart, no z zero, ρ positive. */
export interface Secular {
  readonly poles: Float64Array
  readonly z: Float64Array
  readonly ρ: number
}

const MOST_ITERATIONS = 200

/**
 * Finds eigenvalue number `index` of diag(poles) + ρ·z·zᵀ, which lies above its pole and below the next, as the root of
 * 1 + ρ·Σ zᵢ²/(polesᵢ − λ): by a rational function with the two poles beside it, within bounds (Li 1993, LAPACK working note 89).
 * It is found as a distance from the nearer pole, so that differences to all poles are right in their last digits.
 * @param differences gets polesᵢ − λ
 * @returns λ
 */
export function solveSecular({ poles, z, ρ }: Secular, index: number, differences: Float64Array): number {
  const count = poles.length
  const isLast = index === count - 1
  let [origin, low, high] = [index, 0, 0]
  if (isLast) {
    for (const each of z) high += each * each
    high *= ρ * (1 + 4 * Number.EPSILON)
  } else high = (poles[index + 1]! - poles[index]!) / 2
  for (let i = 0; i < count; i++) differences[i] = poles[i]! - poles[index]!
  let μ = isLast ? high / 2 : high
  if (!isLast) {
    let sum = 1
    for (let i = 0; i < count; i++) sum += (ρ * z[i]! * z[i]!) / (differences[i]! - μ)
    if (sum < 0) {
      origin = index + 1
      for (let i = 0; i < count; i++) differences[i] = poles[i]! - poles[origin]!
      ;[low, high, μ] = [-high, 0, -high]
    }
  }
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    // Σ up to the root's own pole and Σ beyond it, their slopes, and how far rounding may have carried them.
    let [ψ, dψ, φ, dφ, error] = [0, 0, 0, 0, 0]
    for (let i = 0; i <= index; i++) {
      const distance = differences[i]! - μ
      const term = (z[i]! * z[i]!) / distance
      ψ += term
      dψ += term / distance
      error -= ψ
    }
    for (let i = count - 1; i > index; i--) {
      const distance = differences[i]! - μ
      const term = (z[i]! * z[i]!) / distance
      φ += term
      dφ += term / distance
      error += φ
    }
    const value = 1 / ρ + ψ + φ
    const bound = Number.EPSILON * (error + 8 * (φ - ψ) + 1 / ρ + Math.abs(μ) * (dψ + dφ))
    if (Math.abs(value) <= bound || !Number.isFinite(value)) break
    if (value < 0) low = μ
    else high = μ
    const next =
      μ + step({ value, dψ, dφ, own: differences[index]! - μ, next: isLast ? 0 : differences[index + 1]! - μ })
    const chosen = next > low && next < high ? next : low + (high - low) / 2
    if (chosen === μ || chosen <= low || chosen >= high) break
    μ = chosen
  }
  for (let i = 0; i < count; i++) differences[i]! -= μ
  return poles[origin]! + μ
}

interface Around {
  readonly value: number
  readonly dψ: number
  readonly dφ: number
  /** Distances of the two poles beside the root; 0 where there is none above. */
  readonly own: number
  readonly next: number
}

/** How far the root of c + s/(own − η) + S/(next − η) is, which has the value and the slopes of both sums here. */
function step({ value, dψ, dφ, own, next }: Around): number {
  const s = dψ * own * own
  if (next === 0) {
    const c = value - dψ * own
    return c > 0 ? own + s / c : Number.NaN
  }
  const c = value - dψ * own - dφ * next
  const a = c * (own + next) + s + dφ * next * next
  const b = own * next * value
  if (c === 0) return b / a
  const root = Math.sqrt(Math.max(0, a * a - 4 * b * c))
  return a <= 0 ? (a - root) / (2 * c) : (2 * b) / (a + root)
}

/**
 * Finds the z for which numbers very near to the true eigenvalues are the exact ones, so that eigenvectors by it are orthogonal (Gu &
 * Eisenstat 1994, A Stable and Efficient Algorithm for the Rank-one Modification of the Symmetric Eigenproblem).
 * @param row gives polesᵢ − λ for each pole, of an eigenvalue by its number
 */
export function fittingZ({ poles, z }: Secular, row: (index: number) => Float64Array): Float64Array {
  const count = poles.length
  const squares = new Float64Array(count).fill(1)
  for (let index = 0; index < count; index++) {
    const differences = row(index)
    for (let i = 0; i < count; i++)
      squares[i]! *= i === index ? differences[i]! : differences[i]! / (poles[i]! - poles[index]!)
  }
  return squares.map((square, i) => (z[i]! < 0 ? -1 : 1) * Math.sqrt(Math.abs(square)))
}
