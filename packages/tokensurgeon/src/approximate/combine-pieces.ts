import type { RowStore } from '../rows/row-store.ts'
import type { SubwordMethod } from '../settings.ts'

/** How rows of pieces become one. */
export interface PieceSettings {
  readonly method: SubwordMethod
  /** What comes first matters most to a head, which predicts it; what comes last to an embedding, which is followed by the next token. */
  readonly isHead: boolean
}

/** Makes a row of those of pieces: their mean, sum, mean with weights 1…n, or one of them; zeros of none. */
export function combinePieces(
  rows: RowStore,
  ids: Int32Array,
  { method, isHead }: PieceSettings,
  into: Float32Array,
): void {
  const weights = weightsOf(ids.length, method, isHead)
  const sum = new Float64Array(rows.width)
  const row = new Float32Array(rows.width)
  ids.forEach((id, place) => {
    const weight = weights[place]!
    if (weight === 0) return
    rows.read(id, 1, row)
    for (let i = 0; i < row.length; i++) sum[i]! += weight * row[i]!
  })
  into.set(sum)
}

function weightsOf(count: number, method: SubwordMethod, isHead: boolean): readonly number[] {
  const places = Array.from({ length: count }, (_, place) => place)
  switch (method) {
    case 'sum':
      return places.map(() => 1)
    case 'mean':
      return places.map(() => 1 / count)
    case 'weighted_mean':
      return places.map((place) => (isHead ? count - place : place + 1) / ((count * (count + 1)) / 2))
    case 'first_last':
      return places.map((place) => (place === (isHead ? 0 : count - 1) ? 1 : 0))
    default:
      return method satisfies never
  }
}
