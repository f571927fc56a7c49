import { hasCode, nearest } from '@mk/errors'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { LegacyError } from './errors.ts'

export interface LayerSlice {
  readonly model: string
  /** Layers [start, end). */
  readonly start: number
  readonly end: number
  /** Factor on the `down_proj` tensors. */
  readonly scale?: number
}

/** What a file of `bakllama` says. */
export interface LayerSlices {
  readonly slices: readonly LayerSlice[]
  /** Donates what stands before the layers, config and tokenizer; absent: the first slice's model. */
  readonly embeddingSource?: string
  /** Donates what stands after the layers; absent: the last slice's model. */
  readonly headSource?: string
}

type Path = readonly (string | number)[]
type Fail = (path: Path, problem: string) => never
type Plain = Readonly<Record<string, unknown>>

const maxCharacters = 2 ** 20
const topKeys = ['layer_slices', 'embedding_source', 'lm_head_source']
const sliceKeys = ['model', 'start', 'end', 'scale']

/** Parses a file of `bakllama`. @throws LegacyError 'invalid-layer-slices', with file, line and column */
export function parseLayerSlices(text: string, file: string): LayerSlices {
  const { plain, fail } = parseYaml(text, file)
  if (!isMapping(plain))
    return fail(
      [],
      `the file is ${show(plain)}, expected 'layer_slices' and, if need be, 'embedding_source' and 'lm_head_source'`,
    )
  if (plain['merge_method'] !== undefined) fail(['merge_method'], `this is a recipe for the command 'mergekit-yaml'`)
  checkKeys(plain, topKeys, [], fail)
  const list = plain['layer_slices']
  if (!Array.isArray(list) || list.length === 0)
    return fail(['layer_slices'], `layer_slices is ${show(list)}, expected a list of {model, start, end}`)
  return {
    slices: list.map((slice: unknown, index) => readSlice(slice, ['layer_slices', index], fail)),
    ...(isGiven(plain['embedding_source']) && { embeddingSource: readModel(plain, 'embedding_source', [], fail) }),
    ...(isGiven(plain['lm_head_source']) && { headSource: readModel(plain, 'lm_head_source', [], fail) }),
  }
}

function parseYaml(text: string, file: string): { readonly plain: unknown; readonly fail: Fail } {
  const lines = new LineCounter()
  const failAt = (offset: number, problem: string): never => {
    const { line, col } = lines.linePos(offset)
    const place = { file, line: Math.max(line, 1), column: Math.max(col, 1) }
    throw new LegacyError({ code: 'invalid-layer-slices', ...place, problem })
  }
  if (text.length > maxCharacters)
    return failAt(0, `${text.length} characters, where at most ${maxCharacters} are read`)
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
    const [error] = document.errors
    if (error !== undefined) failAt(error.pos[0], `not valid YAML: ${error.message}`)
    const offsetOf = (path: Path): number => {
      const node = document.getIn(path, true)
      return isNode(node) && node.range ? node.range[0] : path.length === 0 ? 0 : offsetOf(path.slice(0, -1))
    }
    return { plain: document.toJS() as unknown, fail: (path, problem) => failAt(offsetOf(path), problem) }
  } catch (error) {
    if (hasCode(error, 'invalid-layer-slices')) throw error
    return failAt(0, `not valid YAML: ${(error as Error).message}`)
  }
}

function readSlice(slice: unknown, path: Path, fail: Fail): LayerSlice {
  const where = `${path[0]}[${path[1]}]`
  if (!isMapping(slice)) return fail(path, `${where} is ${show(slice)}, expected {model, start, end}`)
  checkKeys(slice, sliceKeys, path, fail)
  const missing = ['model', 'start', 'end'].find((key) => !isGiven(slice[key]))
  if (missing !== undefined) return fail(path, `${where} needs '${missing}'`)
  const model = readModel(slice, 'model', path, fail)
  const [start, end] = ['start', 'end'].map((key) => {
    const value = slice[key]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    return fail([...path, key], `${where}.${key} is ${show(value)}, expected the number of a layer, counted from 0`)
  }) as [number, number]
  if (start >= end)
    return fail(
      [...path, 'end'],
      `${where} goes from ${start} to ${end}, expected an end after the start; the end is not included, so {start: 0, end: 2} is layers 0 and 1`,
    )
  const { scale } = slice
  if (!isGiven(scale)) return { model, start, end }
  if (typeof scale !== 'number' || !Number.isFinite(scale))
    return fail([...path, 'scale'], `${where}.scale is ${show(scale)}, expected a number, the factor on down_proj`)
  return { model, start, end, scale }
}

function readModel(mapping: Plain, key: string, path: Path, fail: Fail): string {
  const value = mapping[key]
  if (typeof value === 'string' && value.trim() !== '') return value
  return fail([...path, key], `${key} is ${show(value)}, expected a model: a folder or hub id such as 'org/name'`)
}

function checkKeys(mapping: Plain, known: readonly string[], path: Path, fail: Fail): void {
  const key = Object.keys(mapping).find((name) => !known.includes(name))
  if (key === undefined) return
  const guess = nearest(key, known)
  fail(
    [...path, key],
    `unknown key '${key}'${guess === undefined ? ` (expected: ${known.join(', ')})` : `; did you mean '${guess}'?`}`,
  )
}

const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isGiven = (value: unknown) => value !== undefined && value !== null
const show = (value: unknown) =>
  isGiven(value) ? (typeof value === 'string' ? `the text '${value}'` : JSON.stringify(value)) : 'missing'
