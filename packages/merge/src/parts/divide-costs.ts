/** Something to be done, in the order of what is done. */
export interface CostUnit {
  readonly cost: number
  /** Whether parts may meet in the middle of it. */
  readonly isShared: boolean
}

/**
 * Divides a row of units into parts, so that the most costly one costs as little as it can, and the others are near their equal share.
 * @returns where parts begin and end, as sums of costs: one more than there are parts, from 0 to what all cost
 */
export function divideCosts(units: readonly CostUnit[], of: number): readonly number[] {
  const sums = [0]
  for (const { cost } of units) sums.push(sums.at(-1)! + cost)
  const total = sums.at(-1)!
  const most = leastMost(units, of, total)
  /** The unit that a position lies in, if it doesn't lie between two. */
  const unitAt = (position: number) => {
    let [low, high] = [0, units.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle + 1]! <= position) low = middle + 1
      else high = middle
    }
    return low
  }
  const isCut = (position: number, unit: number) =>
    unit === units.length || units[unit]!.isShared || sums[unit]! === position
  const cutBefore = (position: number) => {
    const unit = unitAt(position)
    return isCut(position, unit) ? position : sums[unit]!
  }
  const cutAfter = (position: number) => {
    const unit = unitAt(position)
    return isCut(position, unit) ? position : sums[unit + 1]!
  }
  // Where each part may begin at the earliest, so that what follows is not too much for the parts that are left.
  const earliest = [total]
  for (let left = 1; left < of; left++) earliest.push(cutAfter(Math.max(0, earliest.at(-1)! - most)))
  const ends = [0]
  for (let part = 1; part < of; part++) {
    const begin = ends.at(-1)!
    const share = begin + (total - begin) / (of - part + 1)
    const [before, after] = [cutBefore(share), cutAfter(share)]
    const nearest = before > begin && share - before < after - share ? before : after
    const latest = cutBefore(Math.min(total, begin + most))
    ends.push(Math.max(begin, Math.min(latest, Math.max(earliest[of - part]!, nearest))))
  }
  return [...ends, total]
}

/** Shares are counted in fractions: what is as good as an equal share is one. */
const tolerance = 1e-9
const steps = 40

/** Finds, nearly, what the most costly part costs at least. */
function leastMost(units: readonly CostUnit[], of: number, total: number): number {
  const largest = units.reduce((most, { cost, isShared }) => (isShared ? most : Math.max(most, cost)), 0)
  let low = Math.max(total / of, largest) * (1 + tolerance)
  if (fits(units, of, low)) return low
  // Each part is left with less room than the largest unit takes.
  let high = (total / of + largest) * (1 + tolerance)
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2
    if (fits(units, of, middle)) high = middle
    else low = middle
  }
  return high
}

/** Tells whether so many parts are enough, where none costs more than that. */
function fits(units: readonly CostUnit[], of: number, most: number): boolean {
  let parts = 1
  let room = most
  for (const { cost, isShared } of units) {
    if (cost <= room) room -= cost
    else if (isShared) {
      const more = Math.ceil((cost - room) / most)
      room += more * most - cost
      parts += more
    } else {
      room = most - cost
      parts++
    }
  }
  return parts <= of
}
