import type { Block, Workspace } from './workspace.ts'
import { blockElements, rowStartsOf } from './workspace.ts'

/** Reflections that are put together as I − V·T·Vᵀ (compact WY form, Schreiber & Van Loan 1989). */
export const REFLECTIONS = 64

/** What applies reflections to rows, many at a time. */
export interface Reflector {
  /**
   * Applies H₁·H₂·… to rows from the right, or with `isReversed` …·H₂·H₁. Hᵢ = I − vᵢ·vᵢᵀ/normsᵢ, or I where that is 0.
   * @param load writes the vectors, row by row; what is not written is zero. At most REFLECTIONS
   */
  apply(
    rows: Block,
    reflections: {
      readonly norms: ArrayLike<number>
      readonly isReversed?: boolean
      readonly load: (values: Float64Array, block: Block) => void
    },
  ): void
}

/** Tells how many elements of a workspace a reflector takes for so many rows of so many columns. */
export const reflectorElements = (rows: number, columns: number): number =>
  blockElements(REFLECTIONS, columns) +
  blockElements(columns, REFLECTIONS) +
  2 * blockElements(REFLECTIONS, REFLECTIONS) +
  2 * blockElements(rows, REFLECTIONS)

/** Creates what applies reflections to at most so many rows of so many columns. */
export function createReflector(workspace: Workspace, rows: number, columns: number): Reflector {
  const { values } = workspace
  const vectors = workspace.matrix(REFLECTIONS, columns)
  const turned = workspace.matrix(columns, REFLECTIONS)
  const gram = workspace.matrix(REFLECTIONS, REFLECTIONS)
  const factor = workspace.matrix(REFLECTIONS, REFLECTIONS)
  const along = workspace.matrix(rows, REFLECTIONS)
  const shares = workspace.matrix(rows, REFLECTIONS)
  const clear = ({ start, stride }: Block, count: number) => values.fill(0, start, start + count * stride)
  return {
    apply(target, { norms, isReversed = false, load }) {
      const [count, length] = [norms.length, target.columns]
      const v = { ...vectors, rows: count, columns: length }
      const vt = { ...turned, rows: length, columns: count }
      for (const [block, used] of [
        [vectors, count],
        [gram, count],
        [factor, count],
        [along, target.rows],
        [shares, target.rows],
      ] as const)
        clear(block, used)
      load(values, v)
      for (let row = 0; row < count; row++)
        for (let column = 0; column < length; column++)
          values[vt.start + column * vt.stride + row] = values[v.start + row * v.stride + column]!
      const size = { rows: count, columns: count }
      workspace.multiplyAdd({ ...gram, ...size }, v, rowStartsOf(vt))
      writeFactor(values, { gram, factor, norms, isReversed })
      const w = { ...along, rows: target.rows, columns: count }
      const s = { ...shares, rows: target.rows, columns: count }
      workspace.multiplyAdd(w, target, rowStartsOf(vt))
      workspace.multiplyAdd(s, w, rowStartsOf({ ...factor, ...size }))
      workspace.multiplyAdd(target, s, rowStartsOf(v))
    },
  }
}

/** Writes −T, upper triangular with H₁·H₂·… = I − V·T·Vᵀ, or its transpose. */
function writeFactor(
  values: Float64Array,
  {
    gram,
    factor,
    norms,
    isReversed,
  }: { readonly gram: Block; readonly factor: Block; readonly norms: ArrayLike<number>; readonly isReversed: boolean },
): void {
  const count = norms.length
  const t = new Float64Array(count * count)
  for (let column = 0; column < count; column++) {
    if (norms[column] === 0) continue
    const τ = 1 / norms[column]!
    t[column * count + column] = τ
    for (let row = 0; row < column; row++) {
      let sum = 0
      for (let k = row; k < column; k++) sum += t[row * count + k]! * values[gram.start + k * gram.stride + column]!
      t[row * count + column] = -τ * sum
    }
  }
  for (let row = 0; row < count; row++)
    for (let column = 0; column < count; column++)
      values[factor.start + row * factor.stride + column] =
        -t[isReversed ? column * count + row : row * count + column]!
}
