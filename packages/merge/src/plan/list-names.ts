/** Lists names in as few words as hold them all: 'h.0.w', 'h.1.w', 'h.2.w' → 'h.{0–2}.w'. */
export function listNames(names: Iterable<string>): string {
  let rows = [...new Set(names)].map((name) => name.split('.'))
  const longest = Math.max(0, ...rows.map((segments) => segments.length))
  for (let at = longest - 1; at >= 0; at--) rows = joinNumbers(rows, at)
  return rows.map((segments) => segments.join('.')).join(', ')
}

/** Lists numbers in runs: 0, 1, 2, 5 → '0–2, 5' */
export function listNumbers(numbers: Iterable<number>): string {
  const runs: [number, number][] = []
  for (const value of [...numbers].toSorted((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === value - 1) last[1] = value
    else runs.push([value, value])
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(', ')
}

/** Makes one row of those that differ only in the number at one place. */
function joinNumbers(rows: readonly (readonly string[])[], at: number): string[][] {
  const groups = new Map<string, { readonly row: string[]; readonly numbers: number[] }>()
  for (const row of rows) {
    const isNumber = /^\d+$/.test(row[at] ?? '')
    const key = JSON.stringify(isNumber ? [at, ...row.with(at, '')] : row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { row: [...row], numbers: isNumber ? [Number(row[at])] : [] })
    else if (isNumber) group.numbers.push(Number(row[at]))
  }
  return [...groups.values()].map(({ row, numbers }) =>
    numbers.length > 1 ? row.with(at, `{${listNumbers(numbers)}}`) : row,
  )
}
