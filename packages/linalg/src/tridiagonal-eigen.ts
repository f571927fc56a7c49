import { diagonalize } from './implicit-ql.ts'
import { type Block, blockOf, type Workspace } from './kernels/workspace.ts'
import { createMatrix } from './matrix.ts'
import { fittingZ, type Secular, solveSecular } from './secular.ts'

/** Up to so many rows are diagonalized by rotations. */
const SMALL = 32

/** Matrices that dividing works in, each as large as the tridiagonal one. */
export interface DivideRoom {
  /** Zeros; gets the eigenvectors as rows. */
  readonly vectors: Block
  readonly next: Block
  readonly inner: Block
}

/**
 * Diagonalizes a symmetric tridiagonal matrix by dividing it (Cuppen 1981; Gu & Eisenstat 1995, A Divide-and-Conquer Algorithm for the
 * Symmetric Tridiagonal Eigenproblem): the halves' eigenvectors are put together by products of matrices.
 * @param d the diagonal; gets the eigenvalues, ascending
 * @param e beside it; is used up
 * @throws LinalgError 'no-convergence'
 */
export function divideTridiagonal(
  workspace: Workspace,
  room: DivideRoom,
  { d, e }: { readonly d: Float64Array; readonly e: Float64Array },
): void {
  const divide = (from: number, to: number): void => {
    if (to - from <= SMALL) return solveSmall(workspace.values, room.vectors, { d, e, from, to })
    const middle = from + Math.floor((to - from) / 2)
    const coupling = e[middle - 1]!
    d[middle - 1]! -= Math.abs(coupling)
    d[middle]! -= Math.abs(coupling)
    divide(from, middle)
    divide(middle, to)
    join(workspace, room, { d, from, middle, to, coupling })
  }
  divide(0, d.length)
}

interface Part {
  readonly d: Float64Array
  readonly e: Float64Array
  readonly from: number
  readonly to: number
}

function solveSmall(values: Float64Array, vectors: Block, { d, e, from, to }: Part): void {
  const size = to - from
  const rows = createMatrix(size, size)
  for (let i = 0; i < size; i++) rows.values[i * size + i] = 1
  const [own, beside] = [d.slice(from, to), e.slice(from, to)]
  beside[size - 1] = 0
  diagonalize(own, beside, rows)
  const order = Array.from(own.keys()).sort((a, b) => own[a]! - own[b]! || a - b)
  order.forEach((row, place) => {
    d[from + place] = own[row]!
    const start = vectors.start + (from + place) * vectors.stride + from
    values.set(rows.values.subarray(row * size, (row + 1) * size), start)
  })
}

interface Joint {
  readonly d: Float64Array
  readonly from: number
  readonly middle: number
  readonly to: number
  /** What stood beside the diagonal between the halves. */
  readonly coupling: number
}

/** Which halves a row of eigenvectors has elements in. */
type Halves = 1 | 2 | 3

function join(workspace: Workspace, room: DivideRoom, joint: Joint): void {
  const { values } = workspace
  const { d, from, middle, to, coupling } = joint
  const size = to - from
  const rowOf = ({ start, stride }: Block, row: number): number => start + (from + row) * stride + from
  const poles = d.slice(from, to)
  // The corners of the halves' eigenvectors, of length √2 together.
  const z = Float64Array.from({ length: size }, (_, row) => {
    const isUpper = row < middle - from
    const corner = values[rowOf(room.vectors, row) + (isUpper ? middle - 1 - from : middle - from)]!
    return (isUpper || coupling > 0 ? corner : -corner) / Math.SQRT2
  })
  const ρ = 2 * Math.abs(coupling)
  const halves = Array.from({ length: size }, (_, row): Halves => (row < middle - from ? 1 : 2))
  const { kept, left } = deflate({ poles, z, ρ, halves }, (first, second, c, s) => {
    const [a, b] = [rowOf(room.vectors, first), rowOf(room.vectors, second)]
    for (let i = 0; i < size; i++) {
      const [x, y] = [values[a + i]!, values[b + i]!]
      values[a + i] = c * x + s * y
      values[b + i] = c * y - s * x
    }
  })
  const found = combine(workspace, room, { ...joint, poles, z, ρ, halves, kept })
  left.forEach((row, place) => {
    const source = rowOf(room.vectors, row)
    values.copyWithin(rowOf(room.next, kept.length + place), source, source + size)
  })
  const all = Float64Array.from([...found, ...left.map((row) => poles[row]!)])
  const order = Array.from(all.keys()).sort((a, b) => all[a]! - all[b]! || a - b)
  order.forEach((row, place) => {
    d[from + place] = all[row]!
    const source = rowOf(room.next, row)
    values.copyWithin(rowOf(room.vectors, place), source, source + size)
  })
}

interface Deflating {
  readonly poles: Float64Array
  readonly z: Float64Array
  readonly ρ: number
  readonly halves: Halves[]
}

/**
 * Sets aside the eigenvalues that the coupling doesn't move: those with a z of nothing, and all but one of equal ones, whose vectors are
 * turned for that.
 * @returns the rows that are left to be solved for, by ascending poles, and those set aside
 */
function deflate(
  { poles, z, ρ, halves }: Deflating,
  rotate: (first: number, second: number, c: number, s: number) => void,
): { readonly kept: readonly number[]; readonly left: readonly number[] } {
  const [kept, left]: [number[], number[]] = [[], []]
  const order = Array.from(poles.keys()).sort((a, b) => poles[a]! - poles[b]! || a - b)
  let largest = 0
  for (let i = 0; i < z.length; i++) largest = Math.max(largest, Math.abs(poles[i]!), Math.abs(z[i]!))
  const negligible = 8 * Number.EPSILON * largest
  for (const row of order) {
    if (ρ * Math.abs(z[row]!) <= negligible) {
      left.push(row)
      continue
    }
    const before = kept.at(-1)
    if (before !== undefined) {
      const length = Math.sqrt(z[row]! * z[row]! + z[before]! * z[before]!)
      const [c, s] = [z[row]! / length, -z[before]! / length]
      if (Math.abs((poles[row]! - poles[before]!) * c * s) <= negligible) {
        z[row] = length
        z[before] = 0
        rotate(before, row, c, s)
        const [low, high] = [poles[before]!, poles[row]!]
        poles[before] = low * c * c + high * s * s
        poles[row] = low * s * s + high * c * c
        if (halves[before] !== halves[row]) halves[row] = halves[before] = 3
        kept.pop()
        left.push(before)
      }
    }
    kept.push(row)
  }
  return { kept, left }
}

/** Solves for what is left, and writes the eigenvectors as rows of `next`. @returns the eigenvalues */
function combine(
  workspace: Workspace,
  { vectors, next, inner }: DivideRoom,
  { poles, z, ρ, halves, kept, from, middle, to }: Joint & Deflating & { readonly kept: readonly number[] },
): Float64Array {
  const { values } = workspace
  const count = kept.length
  const secular: Secular = {
    poles: Float64Array.from(kept, (row) => poles[row]!),
    z: Float64Array.from(kept, (row) => z[row]!),
    ρ,
  }
  // In the place of the eigenvectors: how far each eigenvalue is from the poles.
  const rowOf = (index: number) => {
    const start = inner.start + index * inner.stride
    return values.subarray(start, start + count)
  }
  const found = Float64Array.from({ length: count }, (_, index) => solveSecular(secular, index, rowOf(index)))
  const fitting = fittingZ(secular, rowOf)
  // Those with elements in the upper half alone first, in the lower half alone last: what meets each half stands together.
  const placed = ([1, 3, 2] as const).flatMap((half) =>
    kept.flatMap((row, index) => (halves[row] === half ? [index] : [])),
  )
  const vector = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const row = rowOf(index)
    let square = 0
    for (let i = 0; i < count; i++) {
      vector[i] = fitting[i]! / row[i]!
      square += vector[i]! * vector[i]!
    }
    const length = Math.sqrt(square)
    for (let place = 0; place < count; place++) row[place] = vector[placed[place]!]! / length
  }
  const upper = kept.reduce((sum, row) => sum + (halves[row] === 2 ? 0 : 1), 0)
  const lower = kept.reduce((sum, row) => sum + (halves[row] === 1 ? 0 : 1), 0)
  const target = blockOf(next, { row: from, column: from, rows: to - from, columns: to - from })
  for (let row = 0; row < count; row++)
    values.fill(0, target.start + row * target.stride, target.start + row * target.stride + to - from)
  const add = (place: number, terms: number, column: number, columns: number): void => {
    const rowStarts = placed
      .slice(place, place + terms)
      .map((index) => vectors.start + (from + kept[index]!) * vectors.stride + column)
    const into = blockOf(next, { row: from, column, rows: count, columns })
    workspace.multiplyAdd(into, blockOf(inner, { column: place, rows: count, columns: terms }), rowStarts)
  }
  add(0, upper, from, middle - from)
  add(count - lower, lower, middle, to - middle)
  return found
}
