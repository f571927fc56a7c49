import type { Chosen } from './support.ts'

/** Atoms that are looked at: one of eight, and so many at most. */
const mostCandidates = 1024
/** Magnitudes of correlations are told apart in so many steps of the largest. */
const steps = 64

/** The likeliest atoms by correlations of a moment, and what those become while further ones are chosen. */
export interface Shortlist {
  /**
   * Takes those with the largest correlations.
   * @param current correlations by now, of all atoms @param largest the largest of their magnitudes
   * @param rows where what they follow from lies: row 0 has the correlations before any choice, the others those of the chosen atoms
   * @param chosen how many there are of these
   */
  begin(current: Float32Array, largest: number, rows: Float32Array, chosen: number): void
  /** Adds the row of a further chosen atom, which lies where the others do. */
  addRow(place: number, rows: Float32Array): void
  /** Finds the atom of the list with the largest correlation by now. @returns -1 where there is none */
  likeliest(chosen: Chosen, refused: Iterable<number>): number
}

/** Creates a list of the likeliest of `count` atoms, while up to `k` are chosen. */
export function createShortlist(k: number, count: number): Shortlist {
  const most = Math.min(mostCandidates, Math.ceil(count / 8))
  const atoms = new Int32Array(most)
  const table = new Float32Array((k + 1) * most)
  const values = new Float64Array(most)
  const histogram = new Int32Array(steps + 1)
  let length = 0

  const addRow = (place: number, rows: Float32Array): void => {
    const [from, into] = [place * count, place * most]
    for (let i = 0; i < length; i++) table[into + i] = rows[from + atoms[i]!]!
  }
  const thresholdOf = (current: Float32Array, largest: number): number => {
    histogram.fill(0)
    const scale = steps / largest
    for (let i = 0; i < count; i++) histogram[Math.min(steps, Math.abs(current[i]! * scale)) | 0]!++
    let [step, within] = [steps, histogram[steps]!]
    while (step > 0 && within + histogram[step - 1]! <= most) within += histogram[--step]!
    return step / scale
  }
  const addOne = (term: number, factor: number): void => {
    const start = (term + 1) * most
    for (let i = 0; i < length; i++) values[i]! += factor * table[start + i]!
  }
  const addFour = (term: number, coefficients: Float64Array): void => {
    const a = coefficients[term]!
    const b = coefficients[term + 1]!
    const c = coefficients[term + 2]!
    const d = coefficients[term + 3]!
    const first = table.subarray((term + 1) * most, (term + 1) * most + length)
    const second = table.subarray((term + 2) * most, (term + 2) * most + length)
    const third = table.subarray((term + 3) * most, (term + 3) * most + length)
    const fourth = table.subarray((term + 4) * most, (term + 4) * most + length)
    for (let i = 0; i < length; i++)
      values[i] = values[i]! + a * first[i]! + b * second[i]! + c * third[i]! + d * fourth[i]!
  }
  return {
    addRow,
    begin(current, largest, rows, chosen) {
      const least = thresholdOf(current, largest)
      length = 0
      for (let atom = 0; atom < count && length < most; atom++) {
        const value = current[atom]!
        if (value >= least || value <= -least) atoms[length++] = atom
      }
      for (let place = 0; place <= chosen; place++) addRow(place, rows)
    },
    likeliest({ atoms: chosen, coefficients, count: terms }, refused) {
      for (let i = 0; i < length; i++) values[i] = -table[i]!
      let term = 0
      for (; term + 3 < terms; term += 4) addFour(term, coefficients)
      for (; term < terms; term++) addOne(term, coefficients[term]!)
      const passed = new Set([...chosen.subarray(0, terms), ...refused])
      let found = -1
      let largest = 0
      for (let i = 0; i < length; i++) {
        const size = Math.abs(values[i]!)
        if (size <= largest || passed.has(atoms[i]!)) continue
        found = atoms[i]!
        largest = size
      }
      return found
    },
  }
}
