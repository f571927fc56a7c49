import { nearest } from '@mk/errors'
import type { ConfigNode } from './config-tree.ts'
import { decodeChoices, listed, type WrittenChoices } from './decode-choices.ts'
import { booleanOf, describeNode, isNull, readNumber, spaceMissing, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { keysOf } from './schema/shapes.ts'
import type { ConfigPath, ParameterBlock, ParameterSetting, ScalarValue } from './merge-config.ts'

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
    return decodeFiltered(decoding, [[path, node]])
  }
  if (node.kind === 'list' && node.items.some((item) => item.kind === 'map'))
    return decodeFiltered(decoding, listed(node, path))
  return decodeValue(decoding, node, path, settingExpected)
}

const decodeFiltered = (decoding: Decoding, written: WrittenChoices): ParameterSetting => ({
  kind: 'filtered',
  choices: decodeChoices(decoding, written, (node, path) =>
    decodeValue(decoding, node, path, 'a value or a gradient (a list of numbers)'),
  ),
})

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
