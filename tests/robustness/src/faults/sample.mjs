/**
 * Chooses among the operations of a merge, in order: each `step`th, and the last ones, where most can go wrong.
 * @param {number} count
 * @param {{ step: number, last: number }} how
 * @returns {number[]} numbers from 1 to `count`
 */
export const sampleOperations = (count, { step, last }) =>
  Array.from({ length: count }, (_, index) => index + 1).filter((nth) => (nth - 1) % step === 0 || nth > count - last)

/** Of several numbers that are as far from each other as can be. @param {number} count @param {number} most */
export const spread = (count, most) =>
  [...new Set(Array.from({ length: Math.min(count, most) }, (_, index) => 1 + Math.round((index * (count - 1)) / Math.max(1, most - 1))))]
