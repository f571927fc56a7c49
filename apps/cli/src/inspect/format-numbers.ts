const digits = 3
const cosineDigits = 4

/** Gives a number with three significant digits. @param error its standard error, which is told where those digits show it */
export function number(value: number, error: number | null = null): string {
  const unit = value === 0 ? 0 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1)
  return `${Number(value.toPrecision(digits))}${spread(error, unit)}`
}

/** Gives a share as percent, where there is one. */
export const share = (value: number | null, error: number | null = null): string =>
  value === null ? '–' : `${number(100 * value, error && 100 * error)} %`

/** Gives a cosine, where there is one. */
export const cosine = (value: number | null, error: number | null = null): string =>
  value === null ? '–' : `${value.toFixed(cosineDigits)}${spread(error, 10 ** -cosineDigits)}`

const spread = (error: number | null, unit: number): string =>
  error === null || error < unit / 2 ? '' : ` ± ${Number(error.toPrecision(1))}`
