/** How many values of one accumulator a `quickSum` adds up in float32 before they go to float64. */
export const QUICK_VALUES = 32

/** What each reduction gives for no elements, and how it joins two results, in float64. */
export const reducers = {
  sum: { empty: 0, join: (a: number, b: number): number => a + b },
  quickSum: { empty: 0, join: (a: number, b: number): number => a + b },
  min: { empty: Infinity, join: Math.min as (a: number, b: number) => number },
  max: { empty: -Infinity, join: Math.max as (a: number, b: number) => number },
} as const
