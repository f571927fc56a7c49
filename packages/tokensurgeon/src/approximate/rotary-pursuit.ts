import { batchRows } from './batch-rows.ts'
import type { Runtime } from '@mk/tensor/runtime'
import type { RowStore } from '../rows/row-store.ts'
import { smallest } from './nearest.ts'
import { createCorrelator } from './correlate.ts'
import { createSupport, type Support } from './support.ts'

/** How rows are turned: as queries and keys are by rotary embeddings (Su et al. 2021). */
export interface Rotation {
  /** Elements of a head, which are turned in pairs: i and i + half. */
  readonly headSize: number
  /** Base of the frequencies. */
  readonly theta: number
}

/** Atoms, how they are turned, and how many are chosen. */
export interface RotaryDictionary {
  readonly atoms: RowStore
  readonly rotation: Rotation
  readonly k: number
}

/** A row as a combination of turned atoms. */
export interface TurnedCombination {
  readonly atoms: Int32Array
  /** By which each is turned; any real numbers. */
  readonly positions: Float64Array
  readonly coefficients: Float64Array
}

/** Of the atoms that fit best as they are, so many are looked at turned. */
const lookedAt = (k: number): number => Math.max(256, 4 * k)

const chosenElements = 2 ** 24

/**
 * Prepares matching pursuit over turned atoms: in each step those atoms that have the largest |⟨residual, atom⟩| are each turned by the
 * position that fits best to the angles between their pairs and those of the residual, or of −residual where that is nearer to 0; the
 * one with the largest correlation then is chosen, and the coefficients of all chosen ones come nearest to the target.
 */
export async function prepareRotaryPursuit(
  runtime: Runtime,
  { atoms, rotation, k: most }: RotaryDictionary,
  batchSize: number,
): Promise<{
  readonly batch: number
  solve(targets: Float32Array, count: number): Promise<readonly TurnedCombination[]>
}> {
  const { width, rows: count } = atoms
  const k = Math.min(most, count)
  const batch = batchRows(atoms, batchSize, Math.floor(chosenElements / (k * width)))
  const correlator = await createCorrelator(runtime, atoms, batch)
  const shortlist = Math.min(count, lookedAt(k))
  const supports: Support[] = []
  const row = new Float32Array(width)
  const turned = new Float32Array(width)
  const best = new Float32Array(width)
  const scores = new Float64Array(count)
  const frequencies = frequenciesOf(rotation, width)
  const residuals = new Float32Array(batch * width)
  return {
    batch,
    async solve(targets, targetCount) {
      residuals.set(targets.subarray(0, targetCount * width))
      const positions = Array.from({ length: targetCount }, () => new Float64Array(k))
      const ended = new Set<number>()
      for (let index = 0; index < targetCount; index++)
        (supports[index] ??= createSupport(width, k)).begin(targets.subarray(index * width, (index + 1) * width))
      for (let step = 0; step < k && ended.size < targetCount; step++) {
        const correlations = await correlator.correlate(residuals, targetCount)
        for (let index = 0; index < targetCount; index++) {
          const support = supports[index]!
          if (ended.has(index) || support.isExact) continue
          const residual = residuals.subarray(index * width, (index + 1) * width)
          const chosen = new Set(support.atoms.subarray(0, support.count))
          for (let i = 0; i < count; i++)
            scores[i] = chosen.has(i) ? Infinity : -Math.abs(correlations[index * count + i]!)
          let [found, position, largest] = [-1, 0, 0]
          for (const atom of smallest(scores, shortlist).sort((a, b) => a - b)) {
            if (chosen.has(atom)) continue
            atoms.read(atom, 1, row)
            const fit = fittingPosition(residual, row, rotation.headSize, frequencies)
            turn(row, fit, rotation.headSize, frequencies, turned)
            let product = 0
            for (let i = 0; i < width; i++) product += turned[i]! * residual[i]!
            if (Math.abs(product) <= largest) continue
            ;[found, position, largest] = [atom, fit, Math.abs(product)]
            best.set(turned)
          }
          if (found >= 0) support.rows.set(best, support.count * width)
          if (found < 0 || !support.add(found)) {
            ended.add(index)
            continue
          }
          positions[index]![support.count - 1] = position
          support.residual(residual)
        }
      }
      return positions.map((ofTarget, index) => {
        const { atoms: chosen, coefficients, count: used } = supports[index]!
        return {
          atoms: chosen.slice(0, used),
          positions: ofTarget.slice(0, used),
          coefficients: coefficients.slice(0, used),
        }
      })
    },
  }
}

/** Angles by which the pairs of a row are turned for each position, head by head. */
export function frequenciesOf({ headSize, theta }: Rotation, width: number): Float64Array {
  const half = headSize / 2
  const ofHead = Float64Array.from({ length: half }, (_, i) => theta ** (-i / half))
  const all = new Float64Array(width / 2)
  for (let pair = 0; pair < all.length; pair++) all[pair] = ofHead[pair % half]!
  return all
}

/** Finds the position by which `row` comes nearest to the direction of `goal`, or to its opposite, in the angles of the pairs. */
function fittingPosition(goal: Float32Array, row: Float32Array, headSize: number, frequencies: Float64Array): number {
  const half = headSize / 2
  let [forward, backward, squares] = [0, 0, 0]
  for (let pair = 0; pair < frequencies.length; pair++) {
    const first = Math.floor(pair / half) * headSize + (pair % half)
    const [x0, x1, y0, y1] = [row[first]!, row[first + half]!, goal[first]!, goal[first + half]!]
    const angle = Math.atan2(x0 * y1 - x1 * y0, x0 * y0 + x1 * y1)
    const opposite = angle > 0 ? angle - Math.PI : angle + Math.PI
    const frequency = frequencies[pair]!
    forward += angle * frequency
    backward += opposite * frequency
    squares += frequency * frequency
  }
  return (Math.abs(backward) < Math.abs(forward) ? backward : forward) / squares
}

/** Turns the pairs of a row. */
export function turn(
  row: Float32Array,
  position: number,
  headSize: number,
  frequencies: Float64Array,
  into: Float32Array,
): void {
  const half = headSize / 2
  for (let pair = 0; pair < frequencies.length; pair++) {
    const first = Math.floor(pair / half) * headSize + (pair % half)
    const angle = position * frequencies[pair]!
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
    const [x, y] = [row[first]!, row[first + half]!]
    into[first] = x * cosine - y * sine
    into[first + half] = x * sine + y * cosine
  }
}
