const steps = '▁▂▃▄▅▆▇█'
const mostBars = 24

/** Formats a number for a person: six significant digits. */
const formatNumber = (value: number): string => String(Number(value.toPrecision(6)))

/** Formats what a parameter resolves to. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`
  return typeof value === 'number' ? formatNumber(value) : String(value)
}

/**
 * Shows a parameter over the layers: one value where it is the same in all, a small chart between the first and the last where it
 * is a number, else the values one after the other.
 */
export function drawValues(values: readonly unknown[]): string {
  const texts = values.map(formatValue)
  if (new Set(texts).size === 1) return texts[0]!
  if (!values.every((value) => typeof value === 'number')) return [...new Set(texts)].join(' → ')
  const least = Math.min(...values)
  const most = Math.max(...values)
  const bars = resample(values).map(
    (value) => steps[Math.round(((value - least) / (most - least)) * (steps.length - 1))],
  )
  const ends = [values[0]!, values.at(-1)!]
  const range = ends.includes(least) && ends.includes(most) ? '' : ` (${formatNumber(least)} to ${formatNumber(most)})`
  return `${short(ends[0]!)} ${bars.join('')} ${short(ends[1]!)}${range}`
}

const short = (value: number) => String(Number(value.toPrecision(3)))

/** As many values as there is room for, evenly spaced, the first and the last among them. */
function resample(values: readonly number[]): readonly number[] {
  if (values.length <= mostBars) return values
  return Array.from(
    { length: mostBars },
    (_, index) => values[Math.round((index * (values.length - 1)) / (mostBars - 1))]!,
  )
}
