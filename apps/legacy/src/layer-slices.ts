import { type ConfigPath, formatPath, formatPlace, type ParsedConfig, readConfig } from '@mk/config'
import { nearest, quoted, shortened } from '@mk/errors'
import { LegacyError } from './errors.ts'

/** Consecutive layers of a model, as a file of `bakllama` has them. */
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
  /** What was ignored, each with file, line and column. */
  readonly warnings: readonly string[]
}

type Plain = Readonly<Record<string, unknown>>

const topKeys = ['layer_slices', 'embedding_source', 'lm_head_source']
const sliceKeys = ['model', 'start', 'end', 'scale']

interface ReadOptions {
  readonly file: string
  /** Keys that mergekit ignores are ignored, with a warning. */
  readonly lenient?: boolean
}

/**
 * Parses a file of `bakllama`.
 * @throws LegacyError 'invalid-layer-slices', ConfigError where the text is no YAML; both with file, line and column
 */
export function parseLayerSlices(text: string, { file, lenient = false }: ReadOptions): LayerSlices {
  const { document, locate, warnings } = readConfig(text, { file, lenient })
  return new Reading(file, locate, lenient, [...warnings]).file(document)
}

class Reading {
  private readonly origin: string
  private readonly locate: ParsedConfig['locate']
  private readonly isLenient: boolean
  private readonly warnings: string[]

  constructor(origin: string, locate: ParsedConfig['locate'], isLenient: boolean, warnings: string[]) {
    this.origin = origin
    this.locate = locate
    this.isLenient = isLenient
    this.warnings = warnings
  }

  file(document: unknown): LayerSlices {
    if (!isMapping(document))
      return this.fail(
        [],
        `the file is ${show(document)}, expected 'layer_slices' and, if need be, 'embedding_source' and 'lm_head_source'`,
      )
    if (isGiven(document['merge_method']))
      this.fail(['merge_method'], `this is a recipe for the command 'mergekit-yaml'`)
    this.checkKeys(document, topKeys, [])
    const list = document['layer_slices']
    if (!Array.isArray(list) || list.length === 0)
      return this.fail(['layer_slices'], `layer_slices is ${show(list)}, expected a list of {model, start, end}`)
    const source = (key: string) => (isGiven(document[key]) ? this.model(document, key, []) : undefined)
    const embeddingSource = source('embedding_source')
    const headSource = source('lm_head_source')
    return {
      slices: list.map((slice: unknown, index) => this.slice(slice, ['layer_slices', index])),
      ...(embeddingSource !== undefined && { embeddingSource }),
      ...(headSource !== undefined && { headSource }),
      warnings: this.warnings,
    }
  }

  private slice(slice: unknown, path: ConfigPath): LayerSlice {
    const where = formatPath(path)
    if (!isMapping(slice)) return this.fail(path, `${where} is ${show(slice)}, expected {model, start, end}`)
    this.checkKeys(slice, sliceKeys, path)
    const missing = ['model', 'start', 'end'].find((key) => !isGiven(slice[key]))
    if (missing !== undefined) return this.fail(path, `${where} needs '${missing}'`)
    const model = this.model(slice, 'model', path)
    const [start, end] = ['start', 'end'].map((key) => {
      const value = slice[key]
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
      return this.fail(
        [...path, key],
        `${where}.${key} is ${show(value)}, expected the number of a layer, counted from 0`,
      )
    }) as [number, number]
    if (start >= end)
      return this.fail(
        [...path, 'end'],
        `${where} goes from ${start} to ${end}, expected an end after the start; the end is not included, so {start: 0, end: 2} is layers 0 and 1`,
      )
    const { scale } = slice
    if (!isGiven(scale)) return { model, start, end }
    if (typeof scale !== 'number' || !Number.isFinite(scale))
      return this.fail(
        [...path, 'scale'],
        `${where}.scale is ${show(scale)}, expected a number, the factor on down_proj`,
      )
    return { model, start, end, scale }
  }

  private model(mapping: Plain, key: string, path: ConfigPath): string {
    const value = mapping[key]
    if (typeof value === 'string' && value.trim() !== '') return value
    return this.fail(
      [...path, key],
      `${key} is ${show(value)}, expected a model: a folder or hub id such as 'org/name'`,
    )
  }

  private checkKeys(mapping: Plain, known: readonly string[], path: ConfigPath): void {
    for (const key of Object.keys(mapping)) {
      if (known.includes(key)) continue
      const guess = nearest(key, known)
      const advice = guess === undefined ? ` (expected: ${known.join(', ')})` : `; did you mean '${guess}'?`
      if (!this.isLenient)
        this.fail(
          [...path, key],
          `unknown key ${quoted(key)}${advice}\n(--lenient ignores unknown keys, with a warning for each)`,
        )
      const where = formatPlace(this.origin, this.locate([...path, key], 'key'))
      this.warnings.push(`${where}: ignored: unknown key ${quoted(key)}${advice}`)
    }
  }

  private fail(path: ConfigPath, problem: string): never {
    const position = this.locate(path)
    const { line, column } = position !== undefined && 'line' in position ? position : { line: 1, column: 1 }
    throw new LegacyError({ code: 'invalid-layer-slices', file: this.origin, line, column, problem })
  }
}

const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isGiven = (value: unknown) => value !== undefined && value !== null
const show = (value: unknown) =>
  isGiven(value) ? shortened(typeof value === 'string' ? `the text '${value}'` : JSON.stringify(value), 200) : 'missing'
