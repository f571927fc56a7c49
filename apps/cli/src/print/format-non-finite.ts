import { counted } from '@mk/errors'
const shownTensors = 3

/** Makes the lines of one warning of what there is to say of each tensor: the first of them and how many more there are, or a line for each. */
export function formatNonFinite(found: readonly string[], all: boolean): readonly [string, ...string[]] {
  const head = `NaN or infinite values in ${counted(found.length, 'tensor')}:`
  if (all) return [head, ...found]
  const left = found.length - shownTensors
  const rest = left > 0 ? `; and ${left} more (-v lists all, --json has the counts)` : ''
  return [`${head} ${found.slice(0, shownTensors).join('; ')}${rest}`]
}
