/** Consecutive elements of a row-major tensor that form a box: in each dimension indices from `start`, `size` of them. */
export interface Box {
  readonly start: readonly number[]
  readonly size: readonly number[]
  /** Flat index of its first element. */
  readonly first: number
}

/** Cuts a flat range of a tensor with at least one dimension into boxes, in order; at most two per dimension. */
export function boxesOf(shape: readonly number[], start: number, end: number): Box[] {
  const boxes: Box[] = []
  const inner = shape.map((_, dimension) => shape.slice(dimension + 1).reduce((count, size) => count * size, 1))
  const visit = (dimension: number, index: readonly number[], from: number, to: number) => {
    if (from >= to) return
    const step = inner[dimension]!
    const rest = shape.slice(dimension + 1)
    const wholeFrom = Math.ceil(from / step)
    const wholeTo = Math.floor(to / step)
    const base = index.reduce((flat, at, i) => flat + at * inner[i]!, 0)
    if (wholeFrom > wholeTo)
      return visit(dimension + 1, [...index, wholeTo], from - wholeTo * step, to - wholeTo * step)
    visit(dimension + 1, [...index, wholeFrom - 1], from - (wholeFrom - 1) * step, step)
    if (wholeFrom < wholeTo) {
      boxes.push({
        start: [...index, wholeFrom, ...rest.map(() => 0)],
        size: [...index.map(() => 1), wholeTo - wholeFrom, ...rest],
        first: base + wholeFrom * step,
      })
    }
    visit(dimension + 1, [...index, wholeTo], 0, to - wholeTo * step)
  }
  visit(0, [], start, end)
  return boxes
}
