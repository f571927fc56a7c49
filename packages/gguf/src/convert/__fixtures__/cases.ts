import { readdirSync, readFileSync } from 'node:fs'
import { parseHeader } from '@mk/safetensors'
import type { NamedShape } from '../map-tensors.ts'
import type { ConversionRequest } from '../plan-conversion.ts'

/** What make-fixtures.py wrote of one model. */
export interface FixtureCase {
  /** The tokenizer's folder, config.json, further files, and the tensors of a made model. */
  readonly tokenizer?: string
  readonly config?: Record<string, unknown>
  readonly files?: Readonly<Record<string, unknown>>
  readonly weights?: readonly { readonly name: string; readonly shape: readonly number[] }[]
  /** What the elements of a made model's norms lie around. */
  readonly norm?: number
  /** The name of a trained model in examples/models instead. */
  readonly model?: string
  /** What transformers makes of a prompt, the likeliest token each time; of trained models. */
  readonly continuation?: { readonly prompt: string; readonly text: string }
  readonly pre: string
  readonly text: string
  /** Of transformers, in float32. */
  readonly expected: {
    readonly ids: readonly number[]
    readonly plainIds: readonly number[]
    readonly following: readonly number[]
    readonly best: readonly number[]
    readonly bestValues: readonly number[]
  }
  /** Of llama.cpp's script. */
  readonly gguf: {
    readonly metadata: readonly { readonly key: string; readonly type: readonly string[]; readonly value: unknown }[]
    readonly fileTypes: Readonly<Record<string, number>>
    readonly tensors: readonly { readonly name: string; readonly dimensions: readonly number[] }[]
    readonly hashes: Readonly<Record<string, readonly string[]>>
  }
}

const folder = new URL('./', import.meta.url)

/** Models made for these tests, by name. */
export const madeCases = [
  'llama3',
  'llama2',
  'mistral',
  'mistral-json',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
  'phi3',
  'phi4',
  'mixtral',
  'qwen2moe',
  'qwen3moe',
]

/** Models that were really trained. */
export const trainedCases = ['tiny-base', 'tiny-code', 'tiny-prose']

export const readCase = (name: string): FixtureCase =>
  JSON.parse(readFileSync(new URL(`cases/${name}.json`, folder), 'utf8'))

/** The small files of a case, as its folder has them. */
export function filesOf(name: string): Map<string, Uint8Array> {
  const { tokenizer, model, files = {}, config } = readCase(name)
  const from =
    model === undefined
      ? new URL(`tokenizers/${tokenizer}/`, folder)
      : new URL(`../../../../../examples/models/${model}/`, folder)
  const read = new Map<string, Uint8Array>(
    readdirSync(from)
      .filter((file) => !file.endsWith('.safetensors'))
      .map((file) => [file, readFileSync(new URL(file, from))]),
  )
  const encoder = new TextEncoder()
  for (const [file, value] of Object.entries(files)) read.set(file, encoder.encode(JSON.stringify(value)))
  if (config !== undefined) read.set('config.json', encoder.encode(JSON.stringify(config)))
  return read
}

/** A made case as a request. */
export function requestOf(
  name: string,
  type: string,
  change: (config: Record<string, unknown>) => void = () => {},
): ConversionRequest {
  const files = filesOf(name)
  const documents = new Map(
    [...files]
      .filter(([file]) => !file.endsWith('.model'))
      .map(([file, bytes]) => [file, new TextDecoder().decode(bytes)]),
  )
  const config: Record<string, unknown> = JSON.parse(documents.get('config.json')!)
  change(config)
  const sentencePiece = files.get('tokenizer.model')
  const tensors = readCase(name).weights ?? trainedTensors(readCase(name).model!)
  return { config, tensors, documents, type, name, ...(sentencePiece === undefined ? {} : { sentencePiece }) }
}

function trainedTensors(model: string): readonly NamedShape[] {
  const bytes = readFileSync(new URL(`../../../../../examples/models/${model}/model.safetensors`, folder))
  return parseHeader(bytes, bytes.length).tensors
}
