import type { ConfigNode } from './config-tree.ts'
import { decodeChoices, listed, matchesAll, type WrittenChoices } from './decode-choices.ts'
import { readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { ConfigPath, MethodChoice } from './merge-config.ts'

const expected = 'the name of a merge method, or a list of {filter, value} with one for each'

/** Decodes `merge_method`: a name, or names by what is in the names of tensors. */
export function decodeMethod(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
): readonly MethodChoice[] | undefined {
  switch (node.kind) {
    case 'scalar': {
      const method = readText(decoding, node, path, 'the name of a merge method')
      return method === undefined ? undefined : [{ filter: undefined, method, path }]
    }
    case 'map':
      return decodeMethods(decoding, [[path, node]])
    case 'list':
      return node.items.some(({ kind }) => kind === 'map')
        ? decodeMethods(decoding, listed(node, path))
        : wrongValue(decoding, node, path, expected)
    default:
      return node satisfies never
  }
}

/** Decodes the `merge_method` of a whole config, which has one for every tensor. */
export function decodeTopMethod(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
): readonly MethodChoice[] | undefined {
  const issueCount = decoding.issues.length
  const choices = decodeMethod(decoding, node, path)
  if (choices !== undefined && decoding.issues.length === issueCount && !choices.some(matchesAll))
    decoding.report(node.position, path, { code: 'no-other-method' })
  return choices
}

const decodeMethods = (decoding: Decoding, written: WrittenChoices): readonly MethodChoice[] =>
  decodeChoices(decoding, written, (node, path) => {
    const method = readText(decoding, node, path, 'the name of a merge method')
    return method === undefined ? undefined : { method, path }
  }).map(({ filter, value }) => ({ filter, ...value }))
