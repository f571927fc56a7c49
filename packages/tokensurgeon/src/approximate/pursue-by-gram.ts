import type { Runtime } from '@mk/tensor/runtime'
import { allocateFloats, bytesOf, type RowStore } from '../rows/row-store.ts'
import { type Combination, combinationOf, largest, mostRefused } from './choose.ts'
import type { Pursuit, PursuitParts } from './pursuit.ts'
import { createSupport, type Support } from './support.ts'

/** Choices that are made before all correlations are brought up to date, at most. */
const mostAhead = 8
/** Atoms with this share of the largest correlation are those that are looked at meanwhile. */
const candidateShare = 0.7
const mostCandidates = 512

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
  const support = createSupport(width, k)
  const chosenRows = allocateFloats(runtime, k * count)
  const explained = allocateFloats(runtime, mostAhead * count)
  const coefficients = new Float32Array(mostAhead * k)
  const shortlist = createShortlist(k)

  /** Correlations after each of some choices: the first ones less what is explained. */
  const update = async (first: Float32Array, steps: number, depth: number): Promise<void> => {
    await kernel.run({
      rows: steps,
      columns: count,
      depth,
      left: bytesOf(coefficients.subarray(0, steps * k)),
      leftStride: k,
      right: bytesOf(chosenRows.subarray(0, depth * count)),
      into: bytesOf(explained.subarray(0, steps * count)),
    })
    for (let step = 0; step < steps; step++)
      for (let i = 0, at = step * count; i < count; i++, at++) explained[at] = first[i]! - explained[at]!
  }

  const addNext = (atom: number, refused: Set<number>): boolean => {
    const at = support.count
    atoms.read(atom, 1, support.rows.subarray(at * width, (at + 1) * width))
    if (!support.add(atom)) {
      refused.add(atom)
      return false
    }
    const row = chosenRows.subarray(at * count, (at + 1) * count)
    gram.read(atom, 1, row)
    shortlist.addRow(at, row)
    return true
  }

  const keepCoefficients = (step: number): void => {
    const row = coefficients.subarray(step * k, (step + 1) * k)
    row.fill(0)
    for (let i = 0; i < support.count; i++) row[i] = support.coefficients[i]!
  }

  const solveOne = async (first: Float32Array, target: Float32Array): Promise<Combination> => {
    support.begin(target)
    const refused = new Set<number>()
    let current = first
    let ahead = 1
    const isOver = () => support.count === k || support.isExact || refused.size > mostRefused
    while (!isOver()) {
      const start = support.count
      const atom = largest(current, support, refused)
      if (atom < 0) break
      if (ahead > 1) shortlist.begin(current, Math.abs(current[atom]!), { first, chosenRows, chosen: start })
      else shortlist.clear()
      if (!addNext(atom, refused)) continue
      keepCoefficients(0)
      const steps = () => support.count - start
      while (steps() < ahead && !isOver()) {
        const next = shortlist.likeliest(support, refused)
        if (next < 0) break
        if (!addNext(next, refused)) continue
        keepCoefficients(steps() - 1)
      }
      const made = steps()
      if (made === 1 && isOver()) break
      await update(first, made, support.count)
      const right = countConfirmed(support, { start, made, count, explained, refused })
      if (right < made) support.truncate(start + right)
      current = explained.subarray((right - 1) * count, right * count)
      ahead = right < made ? 1 : Math.min(mostAhead, 2 * ahead)
    }
    return combinationOf(support)
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

/** Atoms whose correlations are not far below the largest one, and what their correlations become. */
function createShortlist(k: number) {
  const atoms = new Int32Array(mostCandidates)
  const first = new Float64Array(mostCandidates)
  /** Elements of the chosen atoms' rows, for the atoms of the list. */
  const table = new Float32Array(k * mostCandidates)
  const values = new Float64Array(mostCandidates)
  let length = 0
  const addRow = (at: number, row: Float32Array): void => {
    for (let i = 0; i < length; i++) table[at * mostCandidates + i] = row[atoms[i]!]!
  }
  return {
    addRow,
    clear(): void {
      length = 0
    },
    begin(current: Float32Array, largestNow: number, of: Beginning): void {
      const least = candidateShare * largestNow
      length = 0
      for (let atom = 0; atom < current.length && length < mostCandidates; atom++) {
        const value = current[atom]!
        if (value >= least || value <= -least) {
          first[length] = of.first[atom]!
          atoms[length++] = atom
        }
      }
      const width = current.length
      for (let at = 0; at < of.chosen; at++) addRow(at, of.chosenRows.subarray(at * width, (at + 1) * width))
    },
    /** Finds the atom of the list with the largest correlation by now. @returns -1 where there is none */
    likeliest({ atoms: chosen, coefficients, count }: Support, refused: ReadonlySet<number>): number {
      values.set(first.subarray(0, length))
      for (let at = 0; at < count; at++) {
        const [factor, start] = [coefficients[at]!, at * mostCandidates]
        for (let i = 0; i < length; i++) values[i]! -= factor * table[start + i]!
      }
      const passed = new Set([...chosen.subarray(0, count), ...refused])
      let [found, most] = [-1, 0]
      for (let i = 0; i < length; i++)
        if (Math.abs(values[i]!) > most && !passed.has(atoms[i]!)) [found, most] = [atoms[i]!, Math.abs(values[i]!)]
      return found
    },
  }
}

/** What the correlations of a list are made of. */
interface Beginning {
  /** Before any choice. */
  readonly first: Float32Array
  /** Rows of the Gram matrix, of the atoms chosen so far. */
  readonly chosenRows: Float32Array
  readonly chosen: number
}

interface Confirming {
  readonly start: number
  readonly made: number
  readonly count: number
  /** Correlations after each choice. */
  readonly explained: Float32Array
  readonly refused: ReadonlySet<number>
}

/** Counts the choices, the first of which is right, that are those of all correlations. */
function countConfirmed(support: Support, { start, made, count, explained, refused }: Confirming): number {
  for (let right = 1; right < made; right++) {
    const correlations = explained.subarray((right - 1) * count, right * count)
    const before = { atoms: support.atoms, count: start + right }
    if (largest(correlations, before, refused) !== support.atoms[start + right]) return right
  }
  return made
}
