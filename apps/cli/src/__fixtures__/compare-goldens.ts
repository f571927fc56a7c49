import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { decode } from '@mk/tensor'
import { type Dtype, dtypeBytes } from '@mk/safetensors'

/** Relative to max(|expected|, RMS of the expected tensor), as goldens/README.md has it. */
const tolerances: Partial<Record<Dtype, number>> = { F32: 2e-5, F16: 2e-3, BF16: 1.6e-2 }

export interface LoadedTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Loads all tensors of a model folder, one file or shards. */
export async function loadModel(folder: string): Promise<Map<string, LoadedTensor>> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'))
  const tensors = new Map<string, LoadedTensor>()
  for (const file of files) {
    const { tensors: entries } = await readSafetensorsHeader(join(folder, file))
    const bytes = readFileSync(join(folder, file))
    for (const { name, dtype, shape, byteStart, byteEnd } of entries)
      tensors.set(name, { dtype, shape, values: floats(dtype, bytes.subarray(byteStart, byteEnd)) })
  }
  return tensors
}

function floats(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length / dtypeBytes(dtype))
  decode(dtype, bytes, 0, values)
  return values
}

export interface ComparisonOptions {
  /** Ids of a union are compared token by token. */
  readonly union?: boolean
  /** Tensors that differ on purpose. */
  readonly except?: RegExp
  /** The share of a model's elements that may be off: those next to a threshold that rounding decides. */
  readonly share?: number
  /** Compare experts packed, as transformers 5 has them in memory. */
  readonly packExperts?: boolean
}

/** Lists how a merged model differs from a golden; empty where it is equal to the tolerance. */
export async function differences(out: string, expected: string, options: ComparisonOptions = {}): Promise<string[]> {
  const { union = false, except, share = 0, packExperts: packed = false } = options
  const loaded = await loadModel(out)
  const [actual, wanted] = [packed ? packExperts(loaded) : loaded, await loadModel(expected)]
  const elements = [...wanted.values()].reduce((sum, { values }) => sum + values.length, 0)
  let allowed = Math.floor(share * elements)
  const config = readJson(join(out, 'config.json'))
  const tied = config['tie_word_embeddings'] === true
  const order = union ? rowOrder(out, expected) : undefined
  const found: string[] = []
  for (const [name, tensor] of wanted) {
    const mine = actual.get(name)
    if (mine === undefined) {
      if (!(tied && name === 'lm_head.weight')) found.push(`${name} is missing`)
      continue
    }
    const rows = order !== undefined && /embed_tokens|lm_head/.test(name) ? order : undefined
    if (except?.test(name)) continue
    const { problem, off } = compareTensor(name, mine, tensor, rows)
    allowed -= off
    if (problem !== undefined && (off === 0 || allowed < 0)) found.push(problem)
  }
  for (const name of actual.keys()) if (!wanted.has(name)) found.push(`${name} is not expected`)
  return [
    ...found,
    ...compareConfigs(config, readJson(join(expected, 'config.json')), actual),
    ...compareVocabularies(out, expected, union),
  ]
}

/** Lists how tensors differ from those of a golden, names included. */
export function tensorDifferences(
  actual: ReadonlyMap<string, LoadedTensor>,
  expected: ReadonlyMap<string, LoadedTensor>,
): string[] {
  const compared = [...expected].flatMap(([name, tensor]) => {
    const mine = actual.get(name)
    return mine === undefined ? `${name} is missing` : (compareTensor(name, mine, tensor, undefined).problem ?? [])
  })
  return [
    ...compared,
    ...[...actual.keys()].filter((name) => !expected.has(name)).map((name) => `${name} is not expected`),
  ]
}

interface TensorComparison {
  readonly problem?: string
  /** How many elements are past the tolerance. */
  readonly off: number
}

function compareTensor(
  name: string,
  actual: LoadedTensor,
  expected: LoadedTensor,
  rows: readonly number[] | undefined,
): TensorComparison {
  if (actual.dtype !== expected.dtype)
    return { problem: `${name}: dtype ${actual.dtype}, expected ${expected.dtype}`, off: 0 }
  if (actual.shape.join() !== expected.shape.join())
    return { problem: `${name}: shape [${actual.shape.join()}], expected [${expected.shape.join()}]`, off: 0 }
  const { values } = expected
  const rms = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  const width = values.length / (expected.shape[0] ?? 1)
  const tolerance = tolerances[expected.dtype] ?? 0
  let worst = 0
  let at = 0
  let off = 0
  values.forEach((value, index) => {
    const row = Math.floor(index / width)
    const other = actual.values[rows === undefined ? index : rows[row]! * width + (index - row * width)]!
    const error = Math.abs(other - value) / Math.max(Math.abs(value), rms, 1e-30)
    if (!(error <= tolerance)) off++
    if (!(error <= worst)) [worst, at] = [error, index]
  })
  return off === 0
    ? { off }
    : {
        problem: `${name}[${at}]: off by ${worst.toExponential(1)} (${actual.values[at]} for ${values[at]}), tolerance ${tolerance}`,
        off,
      }
}

/** `block_sparse_moe.experts.N.w1`, `w3` and `w2` as `mlp.experts.gate_up_proj` and `down_proj`. */
function packExperts(tensors: ReadonlyMap<string, LoadedTensor>): Map<string, LoadedTensor> {
  const packed = new Map<string, LoadedTensor>()
  for (const [name, tensor] of tensors) {
    const match = /^(.*)block_sparse_moe\.(?:experts\.(\d+)\.(w\d)|gate)\.weight$/.exec(name)
    if (match === null) packed.set(name, tensor)
    else if (match[2] === undefined) packed.set(`${match[1]}mlp.gate.weight`, tensor)
    else if (match[2] === '0' && match[3] !== 'w3') {
      const parts = match[3] === 'w2' ? ['w2'] : ['w1', 'w3']
      const experts: LoadedTensor[] = []
      for (let expert = 0; tensors.has(`${match[1]}block_sparse_moe.experts.${expert}.w1.weight`); expert++) {
        for (const part of parts)
          experts.push(tensors.get(`${match[1]}block_sparse_moe.experts.${expert}.${part}.weight`)!)
      }
      const [rows, columns] = tensor.shape as [number, number]
      const values = Float32Array.from(experts.flatMap((expert) => [...expert.values]))
      packed.set(`${match[1]}mlp.experts.${match[3] === 'w2' ? 'down_proj' : 'gate_up_proj'}`, {
        ...tensor,
        shape: [experts.length / parts.length, rows * parts.length, columns],
        values,
      })
    }
  }
  return packed
}

const layerKeys = ['num_hidden_layers', 'n_layer', 'num_layers']

function compareConfigs(
  actual: Record<string, unknown>,
  expected: Record<string, unknown>,
  tensors: ReadonlyMap<string, LoadedTensor>,
): string[] {
  const found = layerKeys
    .filter((key) => actual[key] !== expected[key])
    .map((key) => `config.json: ${key} is ${String(actual[key])}, expected ${String(expected[key])}`)
  const embedding = [...tensors].find(([name]) => /embed_tokens|wte|embed_in|word_embeddings/.test(name))?.[1]
  if (embedding !== undefined && actual['vocab_size'] !== embedding.shape[0])
    found.push(
      `config.json: vocab_size is ${String(actual['vocab_size'])}, but ${embedding.shape[0]} rows were written`,
    )
  return found
}

function compareVocabularies(out: string, expected: string, union: boolean): string[] {
  if (!existsSync(join(expected, 'tokenizer.json'))) return []
  if (!existsSync(join(out, 'tokenizer.json'))) return ['tokenizer.json is missing']
  const [actual, wanted] = [vocabulary(out), vocabulary(expected)]
  const missing = [...wanted.keys()].filter((token) => !actual.has(token))
  const extra = [...actual.keys()].filter((token) => !wanted.has(token))
  const moved = union
    ? []
    : [...wanted].filter(([token, id]) => actual.has(token) && actual.get(token) !== id).map(([token]) => token)
  return Object.entries({ missing, extra, moved }).flatMap(([what, tokens]) =>
    tokens.length === 0 ? [] : [`tokenizer.json: ${what} ${tokens.slice(0, 5).join(' ')}`],
  )
}

/** For each expected row the actual row of the same token; rows beyond the vocabulary stand where they are. */
function rowOrder(out: string, expected: string): number[] {
  const actual = vocabulary(out)
  const byId = new Map([...vocabulary(expected)].map(([token, id]) => [id, token]))
  return Array.from({ length: 1 << 16 }, (_, row) => {
    const token = byId.get(row)
    return (token === undefined ? undefined : actual.get(token)) ?? row
  })
}

function vocabulary(folder: string): Map<string, number> {
  const { model, added_tokens: added } = readJson(join(folder, 'tokenizer.json')) as {
    model: { vocab: Record<string, number> | [string, number][] }
    added_tokens?: { content: string; id: number }[]
  }
  const entries: [string, number][] = Array.isArray(model.vocab)
    ? model.vocab.map(([token], id) => [token, id])
    : Object.entries(model.vocab)
  return new Map([...entries, ...(added ?? []).map(({ content, id }): [string, number] => [content, id])])
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
