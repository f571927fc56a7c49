import { nearest } from '@mk/errors'
import type { ConfigNode, MapNode } from './config-tree.ts'
import { booleanOf, describeNode, isNull, readMap, readNumber, readText, spaceMissing, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { keysOf } from './schema/shapes.ts'
import type { ConfigPath, ParameterBlock, ParameterSetting, ScalarValue } from './merge-config.ts'

type Choice = Extract<ParameterSetting, { kind: 'filtered' }>['choices'][number]

const unreadable: ParameterSetting = { kind: 'filtered', choices: [] }

const settingExpected = 'a value, a gradient (a list of numbers) or a list of {filter, value}'

/** Decodes `parameters:` at any level; an absent or empty one is a block without settings. */
export function decodeParameters(decoding: Decoding, node: ConfigNode | undefined, path: ConfigPath): ParameterBlock {
  const settings = new Map<string, ParameterSetting>()
  if (node?.kind === 'map') {
    for (const [name, { value }] of node.entries) {
      // What cannot be read keeps its name, so that a name that is wrong is told as well.
      settings.set(name, decodeNamed(decoding, name, value, path) ?? unreadable)
    }
  } else if (node !== undefined && !isNull(node)) {
    wrongValue(decoding, node, path, `a mapping of parameter names to values, such as {weight: 0.5}`)
  }
  return { path, settings }
}

function decodeNamed(
  decoding: Decoding,
  name: string,
  node: ConfigNode,
  path: ConfigPath,
): ParameterSetting | undefined {
  const hint = isNull(node) ? spaceMissing(name, node) : undefined
  return hint === undefined
    ? decodeSetting(decoding, node, [...path, name])
    : wrongValue(decoding, node, [...path, name], settingExpected, hint)
}

function decodeSetting(decoding: Decoding, node: ConfigNode, path: ConfigPath): ParameterSetting | undefined {
  if (node.kind === 'map') {
    const isChoice = node.entries.size === 0 || node.entries.has('filter') || node.entries.has('value')
    if (!isChoice && nearest([...node.entries.keys()][0]!, keysOf('choice')) === undefined)
      return wrongValue(decoding, node, path, settingExpected)
    return decodeFiltered(decoding, [node], path, false)
  }
  if (node.kind === 'list' && node.items.some((item) => item.kind === 'map'))
    return decodeFiltered(decoding, node.items, path, true)
  return decodeValue(decoding, node, path, settingExpected)
}

function decodeFiltered(
  decoding: Decoding,
  items: readonly ConfigNode[],
  path: ConfigPath,
  inList: boolean,
): ParameterSetting {
  const choices: Choice[] = []
  for (const [i, item] of items.entries()) {
    const itemPath = inList ? [...path, i] : path
    if (item.kind !== 'map') {
      wrongValue(
        decoding,
        item,
        itemPath,
        '{filter, value}, as the others in this list',
        'a fallback for the other tensors is written {value: …}, last',
      )
      continue
    }
    const choice = decodeChoice(decoding, item, itemPath)
    if (choice === undefined) continue
    const before = choices.at(-1)
    if (before !== undefined && (before.filter === undefined || before.filter === '*')) {
      decoding.warn(
        item.position,
        'this value is never used: the one before it, without a filter, matches every tensor',
      )
    }
    choices.push(choice)
  }
  return { kind: 'filtered', choices }
}

function decodeChoice(decoding: Decoding, node: MapNode, path: ConfigPath): Choice | undefined {
  const entries = readMap(decoding, node, path, '{filter, value}', { known: keysOf('choice') })
  const valueNode = entries?.get('value')
  const filterNode = entries?.get('filter')
  if (valueNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['value'] })
  const value = decodeValue(decoding, valueNode, [...path, 'value'], 'a value or a gradient (a list of numbers)')
  if (filterNode === undefined) return value && { filter: undefined, value }
  const isEmptyText = filterNode.kind === 'scalar' && filterNode.value === ''
  const filter = isEmptyText ? '' : readText(decoding, filterNode, [...path, 'filter'], 'a part of a tensor name')
  return value === undefined || filter === undefined ? undefined : { filter, value }
}

function decodeValue(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  expected: string,
): ParameterSetting | undefined {
  if (node.kind === 'scalar') {
    const value = decodeScalar(decoding, node, path)
    return value === undefined ? undefined : { kind: 'scalar', value }
  }
  if (node.kind === 'map') return wrongValue(decoding, node, path, expected)
  if (node.items.length === 0) return wrongValue(decoding, node, path, expected)
  const values = node.items.map((item, i) => decodeGradientValue(decoding, item, [...path, i]))
  return values.includes(undefined) ? undefined : { kind: 'gradient', values: values as number[] }
}

function decodeGradientValue(decoding: Decoding, node: ConfigNode, path: ConfigPath): number | undefined {
  const value = readNumber(decoding, node, path)
  if (value === undefined) return wrongValue(decoding, node, path, 'a number, as the values of a gradient are')
  return Number.isFinite(value) ? value : wrongValue(decoding, node, path, 'a finite number')
}

function decodeScalar(
  decoding: Decoding,
  node: Extract<ConfigNode, { kind: 'scalar' }>,
  path: ConfigPath,
): ScalarValue | undefined {
  if (node.value === null) {
    return decoding.report(node.position, path, {
      code: 'wrong-value',
      found: describeNode(node),
      expected: settingExpected,
    })
  }
  const number = readNumber(decoding, node, path)
  if (number !== undefined)
    return Number.isFinite(number) ? number : wrongValue(decoding, node, path, 'a finite number')
  return booleanOf(node) ?? (node.value as string)
}
