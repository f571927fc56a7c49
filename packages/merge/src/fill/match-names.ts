/** How names of a part become those of the whole: what they begin with is replaced. */
interface PrefixRule {
  /** Taken off, with its last dot; '' takes nothing. */
  readonly from: string
  /** Put in its place, with its last dot. */
  readonly to: string
}

/** Components that a prefix has at most: of a part, of the whole. */
const deepest = { part: 3, whole: 5 }
/** Of what is left of a name, so that 'weight' alone tells nothing. */
const fewestLeft = 2

/**
 * Finds the place in a whole for each tensor of a part, however deep the part lies in it: by the one change of the beginning of names that
 * gives most of them a place, and for the others (a head beside the layers) by the next best.
 * @param prefix where the part lies, instead of what is found
 * @returns names of the part → of the whole, no two the same; without those that have no place
 */
export function matchNames(
  part: readonly string[],
  whole: ReadonlySet<string>,
  prefix?: string,
): ReadonlyMap<string, string> {
  const places = new Map<string, string>()
  const taken = new Set<string>()
  for (const rule of rulesOf(part, whole, prefix)) {
    for (const name of part) {
      const place = placeOf(name, rule)
      if (places.has(name) || place === undefined || !whole.has(place) || taken.has(place)) continue
      places.set(name, place)
      taken.add(place)
    }
  }
  return places
}

const placeOf = (name: string, { from, to }: PrefixRule): string | undefined =>
  name.startsWith(from) ? to + name.slice(from.length) : undefined

function rulesOf(
  part: readonly string[],
  whole: ReadonlySet<string>,
  prefix: string | undefined,
): readonly PrefixRule[] {
  if (prefix !== undefined) {
    const to = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`
    return [
      { from: '', to },
      // A language model's own prefix may be left out, as in `language_model.layers.0` for `model.layers.0`.
      { from: 'model.', to },
    ]
  }
  const scores = new Map<string, { readonly rule: PrefixRule; score: number }>()
  const ends = endsOf(whole)
  for (const name of part)
    for (const [from, rest] of splits(name, deepest.part))
      for (const to of ends.get(rest) ?? []) {
        const key = `${from}\0${to}`
        const known = scores.get(key)
        if (known === undefined) scores.set(key, { rule: { from, to }, score: 1 })
        else known.score++
      }
  const [best, ...others] = [...scores.values()].toSorted(byScore).map(({ rule }) => rule)
  if (best === undefined) return []
  // What is beside the layers lies as deep or less deep, and never in another part of the whole.
  return [best, ...others.filter(({ from, to }) => best.from.startsWith(from) && best.to.startsWith(to))]
}

interface Scored {
  readonly rule: PrefixRule
  readonly score: number
}

/** Of equal ones that which changes least. */
const byScore = (a: Scored, b: Scored): number =>
  b.score - a.score || changed(a.rule) - changed(b.rule) || order(a.rule.to, b.rule.to)
const changed = ({ from, to }: PrefixRule): number => from.length + to.length
const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** Ends of names → what stands before them. */
function endsOf(names: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const ends = new Map<string, string[]>()
  for (const name of names)
    for (const [before, rest] of splits(name, deepest.whole)) {
      const known = ends.get(rest)
      if (known === undefined) ends.set(rest, [before])
      else known.push(before)
    }
  return ends
}

/** Cuts a name behind each of its first dots, and before its first component. */
function splits(name: string, most: number): readonly (readonly [before: string, rest: string])[] {
  const components = name.split('.')
  const count = Math.min(most, Math.max(0, components.length - fewestLeft))
  return Array.from({ length: count + 1 }, (_, at) => {
    const before = components
      .slice(0, at)
      .map((component) => `${component}.`)
      .join('')
    return [before, name.slice(before.length)] as const
  })
}
