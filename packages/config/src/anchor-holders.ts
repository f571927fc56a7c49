import { nearest, quoted } from '@mk/errors'
import type { ConfigNode, MapEntry } from './config-tree.ts'
import type { Position } from './place.ts'

/** Keys at the top that set nothing and only hold anchors, the usual place for them in YAML. */
export interface AnchorHolders {
  has(key: string): boolean
  /** Of holders that may have been meant otherwise. */
  readonly warnings: readonly { readonly position: Position | undefined; readonly message: string }[]
}

/**
 * Finds the keys at the top that are no keys of a config and define anchors, and those that begin with `x-`. One that resembles
 * a known key, or whose anchors nothing refers to, is worth a warning.
 */
export function findAnchorHolders(root: ConfigNode, known: readonly string[]): AnchorHolders {
  const entries = root.kind === 'map' ? root.entries : new Map<string, MapEntry>()
  const replaced = (root.kind === 'map' && root.replaced) || []
  const holders = new Set<string>()
  const warnings: { position: Position | undefined; message: string }[] = []
  for (const [key, entry] of entries) {
    if (known.includes(key)) continue
    const all = [...replaced.filter((other) => other.key === key).map((other) => other.entry), entry]
    const isPrefixed = key.startsWith('x-')
    if (!isPrefixed && !all.every(({ anchors }) => anchors !== undefined)) continue
    holders.add(key)
    const position = entry.keyPosition
    const guess = isPrefixed ? undefined : nearest(key, known)
    if (guess !== undefined)
      warnings.push({ position, message: `the key ${quoted(key)} only holds anchors; did you mean '${guess}'?` })
    else if (!isPrefixed && !all.some(({ anchors }) => anchors!.some(({ isUsed }) => isUsed)))
      warnings.push({ position, message: `the key ${quoted(key)} sets nothing: no alias refers to its anchors` })
  }
  return { has: (key) => holders.has(key), warnings }
}
