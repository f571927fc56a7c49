import { fmix32 } from '../numbers/random.ts'

/** Numbers by chance, the same ones every time. */
export interface Dice {
  /** 32 bits. */
  word(): number
  /** A whole number from 0 to n − 1. */
  below(n: number): number
  pick<T>(from: readonly T[]): T
  chance(probability: number): boolean
}

/** Makes dice whose numbers depend on the seed only. */
export function createDice(seed: number): Dice {
  let state = (seed + 1) >>> 0
  const word = (): number => fmix32((state = (state + 0x6d2b79f5) >>> 0))
  const below = (n: number): number => word() % n
  return {
    word,
    below,
    pick: (from) => from[below(from.length)]!,
    chance: (probability) => word() < probability * 2 ** 32,
  }
}
