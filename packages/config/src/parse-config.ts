import { locateInTree, nodeToPlain } from './config-tree.ts'
import type { ConfigNode, MapNode } from './config-tree.ts'
import { decodeModule, decodeModules, hasExactlyOne } from './decode-modules.ts'
import { decodeParameters } from './decode-parameters.ts'
import { decodeTokenizerSource, decodeTokenizer } from './decode-tokenizer.ts'
import { createDecoding, readMap, readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { decodeDtype } from './dtype-name.ts'
import { ConfigError } from './errors.ts'
import type { ConfigIssue } from './errors.ts'
import { attachModelParameters } from './model-parameters.ts'
import type { ConfigPath, MergeConfig, MissingTensorsConfig, ModuleConfig } from './merge-config.ts'
import { decodeModelReference } from './model-reference.ts'
import { parseYaml } from './parse-yaml.ts'
import { formatPath, type Position } from './place.ts'

const topLevel = {
  known: [
    'merge_method',
    'models',
    'slices',
    'modules',
    'base_model',
    'parameters',
    'input_model_parameters',
    'dtype',
    'out_dtype',
    'tokenizer_source',
    'tokenizer',
    'chat_template',
    'missing',
  ],
  ignored: {
    name: 'it names one of several recipes in a file, and one merge has no use for it',
    random_seed: 'the seed is given on the command line, as --random-seed',
  },
  hints: {
    model: `each model is written '- model: …' under models`,
    layer_range: 'it stands under slices: [{sources: [{model, layer_range}]}]',
    sources: 'it stands under slices: [{sources: [{model, layer_range}]}]',
  },
  otherwise: 'settings of the merge method stand under parameters',
}

/** Keys that only recipes of other tools have: nothing else is worth saying about such a file. */
const foreign = new Map([
  ['layer_slices', `this is a recipe for the command 'bakllama'`],
  ['experts', 'this is a recipe for mergekit-moe, which is no merge of this kind'],
  ['gate_mode', 'this is a recipe for mergekit-moe, which is no merge of this kind'],
])

/** A config as data, and what is needed to speak about it. */
export interface ParsedConfig {
  readonly config: MergeConfig
  /** Settings that may not be meant as they are read; each with file, line and column. */
  readonly warnings: readonly string[]
  /** Tells where the value (or its key) at a path is written; what does not exist is located at what would hold it. */
  locate(path: ConfigPath, at?: 'value' | 'key'): Position | undefined
  /** The YAML as plain data, aliases and merge keys resolved. */
  readonly document: unknown
}

/**
 * Parses a merge configuration as mergekit 0.1 and its early versions write it.
 * @param options.file named in errors and warnings
 * @throws ConfigError with everything that is wrong, each with line and column
 */
export function parseConfig(text: string, options: { readonly file?: string } = {}): ParsedConfig {
  const root = parseYaml(text, options.file)
  const decoding = createDecoding(options.file)
  const config =
    root.kind === 'map'
      ? decodeConfig(decoding, root)
      : wrongValue(decoding, root, [], 'a mapping with merge_method and models, slices or modules')
  const [first, ...others] = decoding.issues
    .filter(isNoConsequence)
    .toSorted((a, b) => order(a.position) - order(b.position))
  if (first !== undefined) throw new ConfigError([first, ...others])
  return {
    config: config!,
    warnings: decoding.warnings,
    locate: (path, at = 'value') => locateInTree(root, path, at),
    document: nodeToPlain(root),
  }
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

const order = (position: Position | undefined): number =>
  position === undefined ? 0 : position.line * 1e6 + position.column

function decodeConfig(decoding: Decoding, root: MapNode): MergeConfig | undefined {
  for (const [key, hint] of foreign) {
    if (root.entries.has(key))
      return decoding.report(root.entries.get(key)!.keyPosition, [], {
        code: 'unknown-key',
        key,
        known: topLevel.known,
        hint,
      })
  }
  const entries = readMap(decoding, root, [], 'a mapping', topLevel)!
  const methodNode = entries.get('merge_method')
  if (methodNode === undefined)
    decoding.report(root.position, [], {
      code: 'missing-key',
      keys: ['merge_method'],
      hint: `for example 'merge_method: linear'`,
    })
  const mergeMethod = methodNode && readText(decoding, methodNode, ['merge_method'], 'the name of a merge method')
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
  const outDtype = read('out_dtype', decodeDtype)
  const chatTemplate = read('chat_template', (_, node, path) =>
    readText(decoding, node, path, `'auto', the name of a chat template, or a template`),
  )
  const missing = read('missing', decodeMissing)
  if (entries.has('tokenizer_source') && entries.has('tokenizer')) {
    decoding.report(entries.get('tokenizer')!.position, [], {
      code: 'conflicting-keys',
      keys: ['tokenizer_source', 'tokenizer'],
      hint: 'they fill the embeddings by different rules',
    })
  }
  const tokenizer = read('tokenizer', decodeTokenizer) ?? read('tokenizer_source', decodeTokenizerSource)
  return {
    mergeMethod: mergeMethod ?? '',
    modules:
      parametersByModel === undefined
        ? modules
        : attachModelParameters(decoding, parametersByModel, modules, baseModel),
    ...(baseModel !== undefined && { baseModel }),
    parameters: decodeParameters(decoding, entries.get('parameters'), ['parameters']),
    ...(dtype !== undefined && { dtype }),
    ...(outDtype !== undefined && { outDtype }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(chatTemplate !== undefined && { chatTemplate }),
    ...(missing !== undefined && { missing }),
  }
}

function decodeMissing(decoding: Decoding, node: ConfigNode): MissingTensorsConfig | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (value === 'base' || value === 'skip') return value
  return wrongValue(decoding, node, ['missing'], `'base' or 'skip'`)
}

function decodeTopModules(decoding: Decoding, root: MapNode, entries: ReadonlyMap<string, ConfigNode>): ModuleConfig[] {
  if (!hasExactlyOne(decoding, root, entries, ['models', 'slices', 'modules'], [])) return []
  const modulesNode = entries.get('modules')
  return modulesNode === undefined
    ? [decodeModule(decoding, undefined, entries, [])]
    : decodeModules(decoding, modulesNode, ['modules'])
}
