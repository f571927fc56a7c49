import { shortened } from '@mk/errors'
import type { ConfigNode, MapEntry } from './config-tree.ts'
import { ConfigError } from './errors.ts'
import { limits } from './limits.ts'
import type { ConfigPath } from './merge-config.ts'
import { formatPath, type ObjectPosition } from './place.ts'

/**
 * Makes the tree of a config that is an object, as if it had been written in YAML; values that are undefined count as absent.
 * @throws ConfigError 'wrong-value' for what is no plain data; 'alias-limit' for what is inside of itself, or too much
 */
export function treeFromObject(value: unknown): ConfigNode {
  const around = new Set<object>()
  let count = 0

  const build = (value: unknown, path: ConfigPath): ConfigNode => {
    const position: ObjectPosition = { path, order: count++ }
    const over = (reason: string) =>
      new ConfigError([
        { code: 'alias-limit', path, position, reason: `${shortened(formatPath(path), 100)} ${reason}` },
      ])
    if (count > limits.values) throw over(`is over the limit of ${limits.values} values`)
    if (path.length > limits.depth) throw over(`is nested more than ${limits.depth} levels deep`)
    if (value === null || value === undefined) return { kind: 'scalar', value: null, text: '', quoted: false, position }
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'scalar', value, text: String(value), quoted: typeof value === 'string', position }
    if (!isPlain(value))
      throw new ConfigError([
        { code: 'wrong-value', path, position, found: describe(value), expected: 'plain data, as JSON has it' },
      ])
    if (around.has(value)) throw over('is inside of itself')
    around.add(value)
    const node: ConfigNode = Array.isArray(value)
      ? { kind: 'list', items: Array.from(value, (item: unknown, index) => build(item, [...path, index])), position }
      : { kind: 'map', entries: new Map(entriesOf(value, path)), position }
    around.delete(value)
    return node
  }

  const entriesOf = (value: object, path: ConfigPath): [string, MapEntry][] =>
    Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([key, child]) => {
        const node = build(child, [...path, key])
        return [key, { keyPosition: node.position, value: node }]
      })

  return build(value, [])
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  // That of another realm's objects has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = (value as { readonly constructor?: { readonly name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? `an object of the class ${name}` : 'an object of a class'
}
