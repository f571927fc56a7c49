/**
 * Chooses among the operations of a merge, in order: each `step`th, and the last ones, where most can go wrong.
 * @param {number} count
 * @param {{ step: number, last: number }} how
 * @returns {number[]} numbers from 1 to `count`
 */
export const sampleOperations = (count, { step, last }) =>
  Array.from({ length: count }, (_, index) => index + 1).filter((nth) => (nth - 1) % step === 0 || nth > count - last)

/**
 * Chooses numbers from 1 to `count`, as far from each other as can be, the first and the last among them.
 * @param {number} count @param {number} most
 */
export function spread(count, most) {
  const length = Math.min(count, most)
  return Array.from({ length }, (_, index) => 1 + Math.round((index * (count - 1)) / Math.max(1, length - 1)))
}
