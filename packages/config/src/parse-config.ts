import { quoted, shortened } from '@mk/errors'
import { listReplaced, locateInTree, nodeToPlain } from './config-tree.ts'
import type { ConfigNode, MapNode } from './config-tree.ts'
import { decodeTopMethod } from './decode-method.ts'
import { decodeModule, decodeModules, hasExactlyOne } from './decode-modules.ts'
import { decodeParameters } from './decode-parameters.ts'
import { decodeTokenizerSource, decodeTokenizer } from './decode-tokenizer.ts'
import { createDecoding, readMap, readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { decodeDtype, decodeOutDtype } from './dtype-name.ts'
import { ConfigError } from './errors.ts'
import type { ConfigIssue } from './errors.ts'
import { findAnchorHolders, type AnchorHolders } from './anchor-holders.ts'
import { topHints, topNames } from './key-hints.ts'
import { attachModelParameters } from './model-parameters.ts'
import type { ConfigPath, MergeConfig, ModuleConfig } from './merge-config.ts'
import { decodeModelReference } from './model-reference.ts'
import { decodeMergeName } from './merge-names.ts'
import { parseYaml } from './parse-yaml.ts'
import { comparePositions, formatPath, type Position } from './place.ts'
import { adapterSpaces, keysOf, missingChoices, outFormats, shapes } from './schema/shapes.ts'
import { treeFromObject } from './tree-from-object.ts'

const topLevel = {
  known: keysOf('config'),
  ignored: shapes.config.ignored,
  hints: topHints,
  names: topNames,
  otherwise: 'settings of the merge method stand under parameters',
}

const aloneInFile = {
  ...topLevel,
  known: topLevel.known.filter((key) => key !== 'name'),
  ignored: {
    name: 'it names one of several recipes in a file, and one merge has no use for it',
    ...topLevel.ignored,
  },
}

/** Keys that only recipes of other tools have: nothing else is worth saying about such a file. */
const foreign = new Map([
  ['layer_slices', `this is a recipe for the command 'bakllama'`],
  ['experts', `this is a recipe for the command 'mergekit-moe'`],
  ['gate_mode', `this is a recipe for the command 'mergekit-moe'`],
])

/** A config as data, and what is needed to speak about it. */
export interface ParsedConfig {
  readonly config: MergeConfig
  /** Settings that may not be meant as they are read; each with file, line and column, or the path in the object. */
  readonly warnings: readonly string[]
  /** Tells where the value (or its key) at a path is written; what does not exist is located at what would hold it. */
  locate(path: ConfigPath, at?: 'value' | 'key'): Position | undefined
  /** The config as plain data: of YAML, with aliases and merge keys resolved. */
  readonly document: unknown
}

/** How strictly a config is read, and what its errors call it. */
export interface ParseOptions {
  /** Named in errors and warnings about a text. */
  readonly file?: string
  /** Keys that mergekit ignores, unknown ones and the first of two that are the same, are warnings instead of errors. */
  readonly lenient?: boolean
}

/** A config as far as it could be read. */
export interface ReadConfig extends Omit<ParsedConfig, 'config'> {
  /** What is wrong with it, in the order of the file. */
  readonly issues: readonly ConfigIssue[]
  /** Undefined where the text is no mapping. With issues it lacks what they are about: for finding further faults only. */
  readonly config: MergeConfig | undefined
}

/**
 * Parses a merge configuration as mergekit 0.1 and its early versions write it.
 * @param recipe the YAML, or an object with the same keys
 * @throws ConfigError with everything that is wrong, each with line and column, or with its path in the object
 */
export function parseConfig(recipe: string | object, options: ParseOptions = {}): ParsedConfig {
  const { issues, config, ...read } = readConfig(recipe, options)
  const [first, ...others] = issues
  if (first !== undefined) throw new ConfigError([first, ...others])
  return { config: config!, ...read }
}

/**
 * Reads a merge configuration as far as it can be read, for callers that have more to check.
 * @param recipe the YAML, or an object with the same keys
 * @throws ConfigError where a text is no YAML or more than one document, or an object no plain data
 */
export const readConfig = (recipe: string | object, options: ParseOptions = {}): ReadConfig =>
  readDocument(typeof recipe === 'string' ? parseYaml(recipe, options.file) : treeFromObject(recipe), options)

/**
 * Reads one document of a file.
 * @param isNamed whether there are others, which call it by its name
 * @throws ConfigError where keys are given twice
 */
export function readDocument(root: ConfigNode, { file, lenient = false }: ParseOptions, isNamed = false): ReadConfig {
  const decoding = createDecoding(file, lenient)
  const holders = findAnchorHolders(root, topLevel.known)
  checkRepeatedKeys(decoding, root, holders)
  const config =
    root.kind === 'map'
      ? decodeConfig(decoding, withoutHolders(decoding, root, holders), isNamed)
      : wrongValue(decoding, root, [], 'a mapping with merge_method and models, slices or modules', hintForList(root))
  return {
    issues: decoding.issues.filter(isNoConsequence).toSorted((a, b) => comparePositions(a.position, b.position)),
    config,
    warnings: decoding.warnings,
    locate: (path, at = 'value') => locateInTree(root, path, at),
    document: nodeToPlain(root),
  }
}

/** What follows from keys that are given twice is not worth saying. @throws ConfigError */
function checkRepeatedKeys(decoding: Decoding, root: ConfigNode, holders: AnchorHolders): void {
  for (const { key, position, isTop } of listReplaced(root)) {
    if (isTop && holders.has(key)) continue
    if (decoding.lenient)
      decoding.warn(position, `the key ${quoted(key)} is given twice; the last holds, as in mergekit`)
    else {
      const hint = isTop && Object.hasOwn(topHints, key) ? `; ${topHints[key]}` : ''
      const reason = `the key '${shortened(key)}' is given twice in one mapping${hint}`
      decoding.report(position, [], { code: 'invalid-yaml', reason })
    }
  }
  const [first, ...others] = decoding.issues
  if (first !== undefined) throw new ConfigError([first, ...others])
}

function withoutHolders(decoding: Decoding, root: MapNode, holders: AnchorHolders): MapNode {
  for (const { position, message } of holders.warnings) decoding.warn(position, message)
  return { ...root, entries: new Map([...root.entries].filter(([key]) => !holders.has(key))) }
}

/** A list at the top is most likely that of the models. */
function hintForList(root: ConfigNode): string | undefined {
  const first = root.kind === 'list' ? root.items[0] : undefined
  if (first?.kind !== 'map') return undefined
  const key = first.entries.has('sources') ? 'slices' : first.entries.has('model') ? 'models' : undefined
  return key && `this list has no key; write '${key}:' on a line before it`
}

/** A key that is missing because it is misspelled is named once. */
const isNoConsequence = (issue: ConfigIssue, _: number, all: readonly ConfigIssue[]): boolean =>
  issue.code !== 'missing-key' ||
  !all.some(
    (other) =>
      other.code === 'unknown-key' &&
      formatPath(other.path) === formatPath(issue.path) &&
      issue.keys.includes(other.nearest ?? ''),
  )

function decodeConfig(decoding: Decoding, root: MapNode, isNamed: boolean): MergeConfig | undefined {
  for (const [key, hint] of foreign) {
    if (root.entries.has(key))
      return decoding.report(root.entries.get(key)!.keyPosition, [], {
        code: 'unknown-key',
        key,
        known: topLevel.known,
        hint,
      })
  }
  const entries = readMap(decoding, root, [], 'a mapping', isNamed ? topLevel : aloneInFile)!
  const name = isNamed ? decodeMergeName(decoding, root.entries.get('name')) : undefined
  const methodNode = entries.get('merge_method')
  if (methodNode === undefined)
    decoding.report(root.position, [], {
      code: 'missing-key',
      keys: ['merge_method'],
      hint: `for example 'merge_method: linear'`,
    })
  const mergeMethod = methodNode && decodeTopMethod(decoding, methodNode, ['merge_method'])
  const modules = decodeTopModules(decoding, root, entries)
  const parametersByModel = entries.get('input_model_parameters')

  const read = <T>(
    key: string,
    decode: (decoding: Decoding, node: ConfigNode, path: ConfigPath) => T | undefined,
  ): T | undefined => {
    const node = entries.get(key)
    return node && decode(decoding, node, [key])
  }
  const baseModel = read('base_model', decodeModelReference)
  const dtype = read('dtype', decodeDtype)
  const outDtype = read('out_dtype', decodeOutDtype)
  const outFormat = read('out_format', (_, node, path) => decodeOneOf(decoding, node, path, outFormats))
  const rank = read('rank', decodeRank)
  const adapterSpace = read('adapter_space', (_, node, path) => decodeOneOf(decoding, node, path, adapterSpaces))
  const chatTemplate = read('chat_template', (_, node, path) =>
    readText(decoding, node, path, `'auto', the name of a chat template, or a template`),
  )
  const missing = read('missing', (_, node, path) => decodeOneOf(decoding, node, path, missingChoices))
  if (shapes.config.notBoth.every((key) => entries.has(key))) {
    decoding.report(entries.get('tokenizer')!.position, [], {
      code: 'conflicting-keys',
      keys: shapes.config.notBoth,
      hint: 'they fill the embeddings by different rules',
    })
  }
  const tokenizer = read('tokenizer', decodeTokenizer) ?? read('tokenizer_source', decodeTokenizerSource)
  return {
    ...(name !== undefined && { name }),
    mergeMethod: mergeMethod ?? [],
    modules:
      parametersByModel === undefined
        ? modules
        : attachModelParameters(decoding, parametersByModel, modules, baseModel),
    ...(baseModel !== undefined && { baseModel }),
    parameters: decodeParameters(decoding, entries.get('parameters'), ['parameters']),
    ...(dtype !== undefined && { dtype }),
    ...(outDtype !== undefined && { outDtype }),
    ...(outFormat !== undefined && { outFormat }),
    ...(rank !== undefined && { rank }),
    ...(adapterSpace !== undefined && { adapterSpace }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(chatTemplate !== undefined && { chatTemplate }),
    ...(missing !== undefined && { missing }),
  }
}

function decodeRank(decoding: Decoding, node: ConfigNode, path: ConfigPath): number | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
    ? value
    : wrongValue(decoding, node, path, 'a whole number from 1')
}

function decodeOneOf<T extends string>(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  choices: readonly T[],
): T | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  const choice = choices.find((known) => known === value)
  return choice ?? wrongValue(decoding, node, path, choices.map((known) => `'${known}'`).join(' or '))
}

function decodeTopModules(decoding: Decoding, root: MapNode, entries: ReadonlyMap<string, ConfigNode>): ModuleConfig[] {
  if (!hasExactlyOne(decoding, root, entries, shapes.config.oneOf, [])) return []
  const modulesNode = entries.get('modules')
  return modulesNode === undefined
    ? [decodeModule(decoding, undefined, entries, [])]
    : decodeModules(decoding, modulesNode, ['modules'])
}
