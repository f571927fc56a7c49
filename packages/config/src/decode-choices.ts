import type { ConfigNode, ListNode, MapNode } from './config-tree.ts'
import { readMap, readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { ConfigPath } from './merge-config.ts'
import { keysOf } from './schema/shapes.ts'

/** A value, and a part of the names of the tensors that have it. */
export interface Choice<T> {
  /** Absent or '*': all tensors. */
  readonly filter: string | undefined
  readonly value: T
}

/** Entries `{filter, value}`, each with its path. */
export type WrittenChoices = readonly (readonly [ConfigPath, ConfigNode])[]

/** Gives the entries of a list. */
export const listed = ({ items }: ListNode, path: ConfigPath): WrittenChoices =>
  items.map((item, index) => [[...path, index], item])

/** Decodes entries `{filter, value}`, of which the first that matches holds; what can't be read is left out. */
export function decodeChoices<T>(
  decoding: Decoding,
  written: WrittenChoices,
  decodeValue: (node: ConfigNode, path: ConfigPath) => T | undefined,
): readonly Choice<T>[] {
  const choices: Choice<T>[] = []
  for (const [path, item] of written) {
    if (item.kind !== 'map') {
      wrongValue(
        decoding,
        item,
        path,
        '{filter, value}, as the others in this list',
        'a fallback for the other tensors is written {value: …}, last',
      )
      continue
    }
    const choice = decodeChoice(decoding, item, path, decodeValue)
    if (choice === undefined) continue
    const before = choices.at(-1)
    if (before !== undefined && matchesAll(before))
      decoding.warn(
        item.position,
        'this value is never used: the one before it, without a filter, matches every tensor',
      )
    choices.push(choice)
  }
  return choices
}

/** Tells whether an entry is for every tensor. */
export const matchesAll = ({ filter }: { readonly filter: string | undefined }): boolean =>
  filter === undefined || filter === '*'

function decodeChoice<T>(
  decoding: Decoding,
  node: MapNode,
  path: ConfigPath,
  decodeValue: (node: ConfigNode, path: ConfigPath) => T | undefined,
): Choice<T> | undefined {
  const entries = readMap(decoding, node, path, '{filter, value}', {
    known: keysOf('choice'),
    names: { method: 'value', merge_method: 'value' },
  })
  const valueNode = entries?.get('value')
  const filterNode = entries?.get('filter')
  if (valueNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['value'] })
  const value = decodeValue(valueNode, [...path, 'value'])
  if (filterNode === undefined) return value === undefined ? undefined : { filter: undefined, value }
  const isEmptyText = filterNode.kind === 'scalar' && filterNode.value === ''
  const filter = isEmptyText ? '' : readText(decoding, filterNode, [...path, 'filter'], 'a part of a tensor name')
  return value === undefined || filter === undefined ? undefined : { filter, value }
}
