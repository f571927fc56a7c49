import { formatPath, formatPlace, type Position } from './place.ts'
import { no, yes } from './schema/shapes.ts'
import type { ConfigIssue, ConfigProblem } from './errors.ts'
import type { ConfigPath } from './merge-config.ts'
import { nearest, quoted, shortened } from '@mk/errors'
import type { ConfigNode, ListNode, MapEntry, ScalarNode } from './config-tree.ts'

/** A place for what decoders find wrong, so that several issues are reported at once. */
export interface Decoding {
  readonly issues: ConfigIssue[]
  readonly warnings: string[]
  /** Keys that mergekit ignores are ignored, with a warning. */
  readonly lenient: boolean
  report(position: Position | undefined, path: ConfigPath, fault: ConfigProblem): undefined
  warn(position: Position | undefined, message: string): void
}

/** Makes an empty list of issues and warnings. @param file named in each @param lenient unknown keys are warnings */
export function createDecoding(file: string | undefined, lenient = false): Decoding {
  const issues: ConfigIssue[] = []
  const warnings: string[] = []
  return {
    issues,
    warnings,
    lenient,
    report(position, path, fault) {
      issues.push({ ...fault, path, position, ...(file !== undefined && { file }) })
      return undefined
    },
    warn(position, message) {
      warnings.push(`${formatPlace(file, position)}: ${shortened(message, 500)}`)
    },
  }
}

/** Tells whether nothing is written. */
export const isNull = (node: ConfigNode): boolean => node.kind === 'scalar' && node.value === null

/** Says in words what a person wrote. */
export function describeNode(node: ConfigNode): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list'
  if (node.kind === 'map') return node.entries.size === 0 ? 'an empty mapping' : 'a mapping'
  if (node.value === null) return 'empty'
  const shown = shortened(node.text, 60)
  return typeof node.value === 'string' ? `the text '${shown}'` : shown
}

/** Reports a value of the wrong kind. */
export function wrongValue(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  expected: string,
  hint?: string,
): undefined {
  return decoding.report(node.position, path, {
    code: 'wrong-value',
    found: describeNode(node),
    expected,
    ...(hint !== undefined && { hint }),
  })
}

/** The keys that a mapping may have, and what to say of others. */
export interface KeyRules {
  readonly known: readonly string[]
  /** Keys that other tools write, which change nothing here, with what to say. */
  readonly ignored?: Readonly<Record<string, string>>
  /** Known mistakes, with the way out. */
  readonly hints?: Readonly<Record<string, string>>
  /** What people call the keys elsewhere. */
  readonly names?: Readonly<Record<string, string>>
  /** The hint for unknown keys that resemble no known one. */
  readonly otherwise?: string
}

/** Reads a mapping whose keys are all known; keys without a value (`tokenizer:`) count as absent. */
export function readMap(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  expected: string,
  rules: KeyRules,
): ReadonlyMap<string, ConfigNode> | undefined {
  if (node.kind !== 'map') return wrongValue(decoding, node, path, expected)
  const present = new Map<string, ConfigNode>()
  for (const [key, { keyPosition, value }] of node.entries) {
    if (rules.known.includes(key)) {
      if (!isNull(value)) present.set(key, value)
      continue
    }
    const note = own(rules.ignored, key)
    if (note !== undefined) {
      decoding.warn(keyPosition, `'${key}' in ${formatPath(path)} is ignored: ${note}`)
      continue
    }
    reportUnknownKey(decoding, { key, keyPosition, value }, path, rules)
  }
  return present
}

function reportUnknownKey(
  decoding: Decoding,
  { key, keyPosition, value }: MapEntry & { readonly key: string },
  path: ConfigPath,
  rules: KeyRules,
): void {
  const { known } = rules
  const clear = spaceMissing(key, value) ?? own(rules.hints, key.toLowerCase())
  const guess = clear === undefined ? (own(rules.names, key.toLowerCase()) ?? nearest(key, known)) : undefined
  const hint = clear ?? (guess === undefined ? rules.otherwise : undefined)
  if (decoding.lenient) return warnOfIgnoredKey(decoding, keyPosition, { key, path, guess, hint })
  decoding.report(keyPosition, path, {
    code: 'unknown-key',
    key,
    known,
    ...(guess !== undefined && { nearest: guess }),
    ...(hint !== undefined && { hint }),
  })
}

/** Warns of a key that is ignored as mergekit ignores it. */
export function warnOfIgnoredKey(
  decoding: Decoding,
  position: Position | undefined,
  { key, path, guess, hint }: { key: string; path: ConfigPath; guess?: string | undefined; hint?: string | undefined },
): void {
  const advice = guess === undefined ? (hint === undefined ? '' : `; ${hint}`) : `; did you mean '${guess}'?`
  decoding.warn(position, `unknown key ${quoted(key)} in ${formatPath(path)} is ignored, as mergekit does${advice}`)
}

/** Finds a space that is missing: `{weight:1}` and `-model: a` are keys to YAML. */
export function spaceMissing(key: string, value: ConfigNode): string | undefined {
  const [, name, rest] = /^([\w-]+):([^/\\].*)$/.exec(key) ?? []
  if (name !== undefined && isNull(value))
    return `a space is missing after the colon: '${name}: ${shortened(rest!, 30)}'`
  return /^-\w/.test(key) ? `a space is missing after the dash: '- ${shortened(key.slice(1), 30)}: …'` : undefined
}

const own = (record: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** Reads a list that is not empty. */
export function readList(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  expected: string,
  hint?: string,
): ListNode['items'] | undefined {
  return node.kind === 'list' && node.items.length > 0 ? node.items : wrongValue(decoding, node, path, expected, hint)
}

/** Reads a text; a number counts as it is written. */
export function readText(decoding: Decoding, node: ConfigNode, path: ConfigPath, expected: string): string | undefined {
  const isText = node.kind === 'scalar' && node.value !== null && typeof node.value !== 'boolean' && node.text !== ''
  return isText ? node.text : wrongValue(decoding, node, path, expected)
}

/** Reads a number, also where it is written as text ("0.5"), with a warning. */
export function readNumber(decoding: Decoding, node: ConfigNode, path: ConfigPath): number | undefined {
  if (node.kind !== 'scalar') return undefined
  if (typeof node.value === 'number') return node.value
  if (typeof node.value !== 'string' || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(node.value.trim()))
    return undefined
  decoding.warn(
    node.position,
    `${formatPath(path)} is the text '${node.value}', read as the number ${Number(node.value)}`,
  )
  return Number(node.value)
}

/** Reads a whole number of at least `minimum`. */
export function readInteger(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  minimum: number,
): number | undefined {
  const value = readNumber(decoding, node, path)
  return value !== undefined && Number.isSafeInteger(value) && value >= minimum
    ? value
    : wrongValue(decoding, node, path, `a whole number of at least ${minimum}`)
}

/** Reads a boolean of YAML 1.2, or one of the plain words that YAML 1.1, and so mergekit, reads as one. */
export function booleanOf(node: ScalarNode): boolean | undefined {
  if (typeof node.value === 'boolean') return node.value
  if (node.quoted) return undefined
  if (yes.includes(node.text)) return true
  return no.includes(node.text) ? false : undefined
}

/** Reads a boolean; anything else is reported. */
export function readBoolean(decoding: Decoding, node: ConfigNode, path: ConfigPath): boolean | undefined {
  const value = node.kind === 'scalar' ? booleanOf(node) : undefined
  return value ?? wrongValue(decoding, node, path, 'true or false')
}
