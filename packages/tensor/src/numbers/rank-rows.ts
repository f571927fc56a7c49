/** Writes the position of each of `count` values in its row of `columns`, ascending; NaN last, equal ones by position. */
export function rankRows(out: Float32Array, a: Float32Array, count: number, columns: number): void {
  const order = new Uint32Array(columns)
  for (let row = 0; row < count; row += columns) {
    for (let i = 0; i < columns; i++) order[i] = i
    order.sort((i, j) => {
      const x = a[row + i]!
      const y = a[row + j]!
      if (x < y) return -1
      if (x > y) return 1
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || i - j
    })
    for (let i = 0; i < columns; i++) out[row + order[i]!] = i
  }
}
