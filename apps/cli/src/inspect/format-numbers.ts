/** Gives a number with three significant digits. */
export const number = (value: number): string => String(Number(value.toPrecision(3)))

/** Gives a share as percent, where there is one. */
export const share = (value: number | null): string => (value === null ? '–' : `${number(100 * value)} %`)

/** Gives a cosine, where there is one. */
export const cosine = (value: number | null): string => (value === null ? '–' : value.toFixed(4))
