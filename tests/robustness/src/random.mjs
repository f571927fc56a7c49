/**
 * @typedef {object} Random numbers that follow from a text alone
 * @property {() => number} fraction from [0, 1)
 * @property {(end: number) => number} below a whole number from [0, end)
 * @property {<T>(list: readonly T[]) => T} pick
 * @property {(probability: number) => boolean} chance
 */

/**
 * Creates random numbers from a seed: the same text gives the same numbers everywhere.
 * @param {string} seed
 * @returns {Random}
 */
export function createRandom(seed) {
  let state = 2166136261
  for (const character of seed) state = Math.imul(state ^ character.codePointAt(0), 16777619)
  const fraction = () => {
    state = (state + 0x9e3779b9) | 0
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return ((word ^ (word >>> 16)) >>> 0) / 2 ** 32
  }
  const below = (end) => Math.floor(fraction() * end)
  return {
    fraction,
    below,
    pick: (list) => list[below(list.length)],
    chance: (probability) => fraction() < probability,
  }
}
