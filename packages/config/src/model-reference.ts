import { nodeFromPlain } from './config-tree.ts'
import type { ConfigNode } from './config-tree.ts'
import { createDecoding, readList, readMap, readNumber, readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { ConfigError } from './errors.ts'
import type { ConfigPath, ModelReference, ModelSum } from './merge-config.ts'
import { keysOf, shapes } from './schema/shapes.ts'

type Repository = ModelReference['adapters'][number]

const expected = `a model: a folder or hub id such as 'org/name', 'org/name@revision', 'org/name+org/adapter', {model: {path, revision}, lora: {path, revision}}, or a sum {base, plus: [{model, weight}]}`

/**
 * Parses `path`, `path@revision`, `path+adapter`, `path@revision+adapter@revision`, or
 * `{model: {path, revision}, lora: {path, revision} or a list of them, override_architecture}`, in which `model` and `lora`
 * may be such texts too. Several adapters apply in order. A path that has '+' or '@' in it needs the object form. Or
 * `{base, plus: [{model, weight}]}`, a sum of models, in which each may be any of these.
 * @throws ConfigError bad-model-reference, wrong-value, unknown-key, missing-key
 */
export function parseModelReference(reference: unknown): ModelReference {
  const decoding = createDecoding(undefined)
  const model = decodeModelReference(decoding, nodeFromPlain(reference), [])
  const [first, ...others] = decoding.issues
  if (first !== undefined) throw new ConfigError([first, ...others])
  return model!
}

/** Writes a reference as `path@revision+adapter`, for people: a path with '+' or '@' in it doesn't parse back. */
export const formatModelReference = ({ path, revision, adapters }: ModelReference): string =>
  [{ path, ...(revision !== undefined && { revision }) }, ...adapters].map(formatRepository).join('+')

/** Tells whether two references name one model: the same path, revision and adapters, however the folder is spelled. */
export function sameModel(a: ModelReference, b: ModelReference): boolean {
  if (!sameRepository(a, b) || a.adapters.length !== b.adapters.length) return false
  if (!sameSum(a.sum, b.sum)) return false
  return a.adapters.every((adapter, i) => sameRepository(adapter, b.adapters[i]!))
}

function sameSum(a: ModelSum | undefined, b: ModelSum | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    sameModel(a.base, b.base) &&
    a.plus.length === b.plus.length &&
    a.plus.every(({ model, weight }, index) => {
      const other = b.plus[index]!
      return weight === other.weight && sameModel(model, other.model)
    })
  )
}

/** Makes the reference of a sum of models, whose path writes it out. */
export const referenceToSum = (sum: ModelSum): ModelReference => ({ path: formatSum(sum), adapters: [], sum })

/** Decodes a model reference in any form. */
export function decodeModelReference(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
): ModelReference | undefined {
  if (node.kind === 'map')
    return node.entries.has('base') || node.entries.has('plus')
      ? decodeSum(decoding, node, path)
      : decodeObject(decoding, node, path)
  const text = readText(decoding, node, path, expected)
  if (text === undefined) return undefined
  const control = findControlCharacter(text)
  if (control !== undefined)
    return decoding.report(node.position, path, { code: 'bad-model-reference', text, reason: control })
  const [model, ...adapters] = text.split('+').map((part) => parseRepository(part))
  const wrong = [model!, ...adapters].find((part) => typeof part === 'string')
  if (typeof wrong === 'string')
    return decoding.report(node.position, path, { code: 'bad-model-reference', text, reason: wrong })
  return { ...(model as Repository), adapters: adapters as Repository[] }
}

/** A backslash in double quotes makes one of the letter after it: `"C:\\temp"` has a tab in it. */
function findControlCharacter(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f]/.test(text)
    ? 'it has a control character in it, as backslashes in double quotes make one; a Windows path stands in single quotes or in none'
    : undefined
}

const objectForm = `a path with '+' or '@' in it is written {model: {path: …}}`

/** @returns the reason where it is none. */
function parseRepository(text: string): Repository | string {
  const [path, revision, ...more] = text.trim().split('@')
  if (path === undefined || path === '')
    return `there is no path ${revision === undefined ? `on one side of a '+'` : `before '@'`}; ${objectForm}`
  if (more.length > 0) return `it has more than one '@'; ${objectForm}`
  if (revision === '') return `there is no revision after '@'; ${objectForm}`
  return { path, ...(revision !== undefined && { revision }) }
}

function decodeObject(decoding: Decoding, node: ConfigNode, path: ConfigPath): ModelReference | undefined {
  const hint = 'a path stands under model: {model: {path, revision}}'
  const entries = readMap(decoding, node, path, expected, {
    known: keysOf('modelObject'),
    hints: { path: hint, revision: hint },
  })
  if (entries === undefined) return undefined
  const modelNode = entries.get('model')
  const loraNode = entries.get('lora')
  const architectureNode = entries.get('override_architecture')
  if (modelNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['model'] })

  const model = decodeRepository(decoding, modelNode, [...path, 'model'])
  const loraNodes = loraNode === undefined ? [] : loraNode.kind === 'list' ? loraNode.items : [loraNode]
  const adapters = loraNodes.map((lora, i) =>
    decodeRepository(decoding, lora, [...path, 'lora', ...(loraNode?.kind === 'list' ? [i] : [])]),
  )
  const overrideArchitecture =
    architectureNode &&
    readText(decoding, architectureNode, [...path, 'override_architecture'], 'the name of an architecture')
  if (model === undefined || adapters.includes(undefined)) return undefined
  return {
    ...model,
    adapters: adapters as Repository[],
    ...(overrideArchitecture !== undefined && { overrideArchitecture }),
  }
}

function decodeSum(decoding: Decoding, node: ConfigNode, path: ConfigPath): ModelReference | undefined {
  const form = '{base, plus: [{model, weight}]}'
  const entries = readMap(decoding, node, path, form, {
    known: keysOf('modelSum'),
    hints: { lora: `an adapter is written behind a model's name: 'base: org/name+org/adapter'` },
    names: { base_model: 'base', model: 'base', add: 'plus' },
  })
  if (entries === undefined) return undefined
  const absent = shapes.modelSum.required.filter((key) => !entries.has(key))
  if (absent.length > 0) {
    const hint = `a sum of models is written ${form}`
    return decoding.report(node.position, path, { code: 'missing-key', keys: absent, hint })
  }
  const base = decodeModelReference(decoding, entries.get('base')!, [...path, 'base'])
  const plusPath = [...path, 'plus']
  const items = readList(decoding, entries.get('plus')!, plusPath, 'a list of {model, weight}') ?? []
  const plus = items.map((item, index) => decodeTerm(decoding, item, [...plusPath, index]))
  if (base === undefined || items.length === 0 || plus.includes(undefined)) return undefined
  return referenceToSum({ base, plus: plus as ModelSum['plus'] })
}

function decodeTerm(decoding: Decoding, node: ConfigNode, path: ConfigPath): ModelSum['plus'][number] | undefined {
  const entries = readMap(decoding, node, path, '{model, weight}', { known: keysOf('term') })
  if (entries === undefined) return undefined
  const [modelNode, weightNode] = [entries.get('model'), entries.get('weight')]
  if (modelNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['model'] })
  const model = decodeModelReference(decoding, modelNode, [...path, 'model'])
  const weightPath = [...path, 'weight']
  const weight = weightNode === undefined ? 1 : readNumber(decoding, weightNode, weightPath)
  if (weight === undefined || !Number.isFinite(weight)) return wrongValue(decoding, weightNode!, weightPath, 'a number')
  return model && { model, weight }
}

/** For people. */
function formatSum({ base, plus }: ModelSum): string {
  const term = ({ model, weight }: ModelSum['plus'][number]) => {
    const size = Math.abs(weight)
    return ` ${weight < 0 || Object.is(weight, -0) ? '-' : '+'} ${size === 1 ? '' : `${size} · `}${operand(model)}`
  }
  return operand(base) + plus.map(term).join('')
}

const operand = (model: ModelReference): string => {
  const text = formatModelReference(model)
  return model.sum === undefined && !/\s/.test(text) ? text : `(${text})`
}

function decodeRepository(decoding: Decoding, node: ConfigNode, path: ConfigPath): Repository | undefined {
  if (node.kind !== 'map') {
    const text = readText(decoding, node, path, `a path, 'path@revision' or {path, revision}`)
    if (text === undefined) return undefined
    const repository = parseRepository(text)
    return typeof repository === 'string'
      ? decoding.report(node.position, path, {
          code: 'bad-model-reference',
          text,
          reason: repository,
        })
      : repository
  }
  const entries = readMap(decoding, node, path, 'a path or {path, revision}', { known: keysOf('repositoryObject') })
  if (entries === undefined) return undefined
  const pathNode = entries.get('path')
  const revisionNode = entries.get('revision')
  if (pathNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['path'] })
  const folder = readText(decoding, pathNode, [...path, 'path'], 'a folder or hub id')
  const revision = revisionNode && readText(decoding, revisionNode, [...path, 'revision'], 'a branch, tag or commit')
  return folder === undefined ? undefined : { path: folder, ...(revision !== undefined && { revision }) }
}

const formatRepository = ({ path, revision }: Repository): string =>
  revision === undefined ? path : `${path}@${revision}`

const sameRepository = (a: Repository, b: Repository): boolean =>
  normalizePath(a.path) === normalizePath(b.path) && a.revision === b.revision

const normalizePath = (path: string): string =>
  path
    .replace(/(?<=[/\\])[/\\]+/g, '')
    .replace(/^(\.[/\\])+(?=.)/, '')
    .replace(/(?<=.)[/\\]$/, '')
