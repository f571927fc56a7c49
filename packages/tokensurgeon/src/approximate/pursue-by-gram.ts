import type { Runtime } from '@mk/tensor/runtime'
import { allocateFloats, bytesOf, type RowStore } from '../rows/row-store.ts'
import { type Combination, largest, mostRefused } from './choose.ts'
import { createGramSupport } from './gram-support.ts'
import type { Pursuit, PursuitParts } from './pursuit.ts'
import { createShortlist } from './shortlist.ts'

/** Choices that are made before all correlations are brought up to date, at most. */
const mostAhead = 16

/** Atoms in the span of those chosen, and how many were. */
type Refused = Map<number, number>

/**
 * Pursues by the Gram matrix. Correlations after some choices, all of them, come from one product of the coefficients with the rows of the
 * chosen atoms. So that these rows are gone through once for several choices, the next ones are made among the atoms with the
 * largest correlations alone, and confirmed, or taken back from the first wrong one on: what is chosen is what all correlations say.
 */
export async function pursueByGram(
  runtime: Runtime,
  { atoms, k, correlator, gram }: PursuitParts & { readonly gram: RowStore },
): Promise<Pursuit['solve']> {
  const { width, rows: count } = atoms
  const kernel = await runtime.compileProduct({
    left: { dtype: 'F32', transposed: false },
    right: { dtype: 'F32', transposed: false },
    result: 'F32',
  })
  /** The target's correlations before any choice, then a row of the Gram matrix for each chosen atom. */
  const rows = allocateFloats(runtime, (k + 1) * count)
  const first = rows.subarray(0, count)
  const support = createGramSupport({ atoms, gram, k, chosenRows: rows.subarray(count) })
  const shortlist = createShortlist(k, count)
  const factors = new Float32Array(mostAhead * (k + 1))
  /** Correlations after each of some choices, with the opposite sign. */
  const after = allocateFloats(runtime, mostAhead * count)

  const keepCoefficients = (step: number): void => {
    const row = factors.subarray(step * (k + 1), (step + 1) * (k + 1))
    row.fill(0)
    row[0] = -1
    for (let i = 0; i < support.count; i++) row[i + 1] = support.coefficients[i]!
  }
  const update = (choices: number): void | Promise<void> => {
    const depth = support.count + 1
    return kernel.run({
      rows: choices,
      columns: count,
      depth,
      left: bytesOf(factors.subarray(0, choices * (k + 1))),
      leftStride: k + 1,
      right: bytesOf(rows.subarray(0, depth * count)),
      into: bytesOf(after.subarray(0, choices * count)),
    })
  }
  const afterChoice = (choice: number): Float32Array => after.subarray(choice * count, (choice + 1) * count)

  /** Counts the choices since there were `start`, the first of which is right, that are those of all correlations. */
  const countConfirmed = (start: number, refused: Refused): number => {
    const made = support.count - start
    for (let right = 1; right < made; right++) {
      const before = { atoms: support.atoms, count: start + right }
      const passed = [...refused].flatMap(([atom, by]) => (by <= before.count ? [atom] : []))
      if (largest(afterChoice(right - 1), before, passed) !== support.atoms[start + right]) return right
    }
    return made
  }
  const takeBack = (count: number, refused: Refused): void => {
    support.truncate(count)
    for (const [atom, by] of refused) if (by > count) refused.delete(atom)
  }

  const solveOne = async (correlations: Float32Array, target: Float32Array): Promise<Combination> => {
    first.set(correlations)
    support.begin(target, first)
    const refused: Refused = new Map()
    const isOver = () => support.count === k || support.isExact || refused.size > mostRefused
    let current = first
    let ahead = 1
    while (!isOver()) {
      const start = support.count
      const atom = largest(current, support, refused.keys())
      if (atom < 0) break
      if (ahead > 1) shortlist.begin(current, Math.abs(current[atom]!), rows, start)
      if (!support.add(atom)) {
        refused.set(atom, start)
        continue
      }
      keepCoefficients(0)
      while (support.count - start < ahead && !isOver()) {
        shortlist.addRow(support.count, rows)
        const next = shortlist.likeliest(support, refused.keys())
        if (next < 0) break
        if (support.add(next)) keepCoefficients(support.count - start - 1)
        else refused.set(next, support.count)
      }
      const made = support.count - start
      // Nothing is chosen by what all correlations are after the last choice.
      const looked = isOver() ? made - 1 : made
      if (looked === 0) break
      await update(looked)
      const right = countConfirmed(start, refused)
      if (right < made) takeBack(start + right, refused)
      current = afterChoice(right - 1)
      ahead = right < made ? Math.max(2, right) : Math.min(mostAhead, 2 * ahead)
    }
    return support.finish()
  }

  return async (targets, targetCount) => {
    const all = await correlator.correlate(targets, targetCount)
    const found: Combination[] = []
    for (let index = 0; index < targetCount; index++)
      found.push(
        await solveOne(
          all.subarray(index * count, (index + 1) * count),
          targets.subarray(index * width, (index + 1) * width),
        ),
      )
    return found
  }
}
