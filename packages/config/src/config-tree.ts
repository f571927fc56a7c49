import type { ConfigPath } from './merge-config.ts'
import type { Position } from './place.ts'

/** A YAML value that knows where it was written, aliases and merge keys already resolved. */
export type ConfigNode = ScalarNode | ListNode | MapNode

/** A number, text, boolean or null. */
export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As written, so that a revision such as 12e4567 stays what it is. */
  readonly text: string
  readonly quoted: boolean
  readonly position: Position | undefined
}

/** A YAML sequence. */
export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly ConfigNode[]
  readonly position: Position | undefined
}

/** A YAML mapping. */
export interface MapNode {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, MapEntry>
  readonly position: Position | undefined
}

/** A value of a mapping, and where its key is written. */
export interface MapEntry {
  readonly keyPosition: Position | undefined
  readonly value: ConfigNode
}

/** Makes a tree without positions from plain data. */
export function nodeFromPlain(value: unknown): ConfigNode {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(nodeFromPlain), position: undefined }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, child]) => child !== undefined)
    return {
      kind: 'map',
      entries: new Map(entries.map(([key, child]) => [key, { keyPosition: undefined, value: nodeFromPlain(child) }])),
      position: undefined,
    }
  }
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  return { kind: 'scalar', value: scalar, text: String(scalar), quoted: typeof value === 'string', position: undefined }
}

/** Gives the YAML as plain objects, arrays and scalars. */
export function nodeToPlain(node: ConfigNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(nodeToPlain)
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, nodeToPlain(value)]))
    default:
      return node satisfies never
  }
}

/** Tells where the value (or its key) at `path` is written; a path that leads nowhere gives the innermost part that exists. */
export function locateInTree(root: ConfigNode, path: ConfigPath, at: 'value' | 'key'): Position | undefined {
  let node = root
  let position = root.position
  for (const [depth, part] of path.entries()) {
    const entry: MapEntry | undefined = node.kind === 'map' ? node.entries.get(String(part)) : undefined
    const child = node.kind === 'list' && typeof part === 'number' ? node.items[part] : entry?.value
    if (child === undefined) return position
    node = child
    const empty = node.kind === 'scalar' && node.text === ''
    const wantsKey = entry !== undefined && (empty || (at === 'key' && depth === path.length - 1))
    position = wantsKey ? entry.keyPosition : node.position
  }
  return position
}
