import type { Dtype } from '@mk/safetensors'
import { CheckpointError } from '../errors.ts'
import type { DequantizedSource, TensorSource } from '@mk/source'
import { float8Methods, leftoverName, refusedByName, scaleNames } from './quantization-schemes.ts'
import { scaleBlocks } from './scale-blocks.ts'

type ModelConfig = Readonly<Record<string, unknown>>

export interface Dequantized {
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** Without its quantization settings, which no longer hold. */
  readonly config: ModelConfig | undefined
  readonly notes: readonly string[]
}

/**
 * Lays scales over the float8 weights that have them; those come out as float32, and the scales go. Float8 weights that never
 * had a scale stay as they are.
 * @throws CheckpointError quantized where the weights are in a form that can't be merged; scale-missing, scale-shape
 */
export function dequantize(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  config: ModelConfig | undefined,
): Dequantized {
  const quantization = config && findQuantization(config)
  refuseOthers(folder, tensors, quantization)
  const used = new Set<string>()
  const dequantized = new Map<string, DequantizedSource>()
  for (const [name, source] of tensors) {
    if (!isFloat8(source.dtype)) continue
    const scaleName = scaleNames(name).find((candidate) => tensors.has(candidate))
    if (scaleName === undefined) {
      if (quantization !== undefined && source.shape.length > 1)
        throw new CheckpointError({ code: 'scale-missing', folder, tensor: name, scheme: quantization.method })
      continue
    }
    used.add(scaleName)
    const scale = { name: scaleName, source: tensors.get(scaleName)! }
    dequantized.set(name, withScale(folder, { name, source }, scale, quantization?.blockSize))
  }
  const leftovers =
    dequantized.size === 0 ? [] : [...tensors.keys()].filter((name) => leftoverName.test(name) && !used.has(name))
  const dropped = new Set([...used, ...leftovers])
  const kept = [...tensors]
    .filter(([name]) => !dropped.has(name))
    .map(([name, source]): [string, TensorSource] => [name, dequantized.get(name) ?? source])
  const notes: string[] = []
  if (dequantized.size > 0)
    notes.push(`${folder}: ${dequantized.size} float8 tensors are multiplied by their scales while reading`)
  if (leftovers.length > 0)
    notes.push(`${folder}: ${leftovers.length} scales of activations are left out, such as '${leftovers[0]}'`)
  if (dequantized.size === 0 && quantization !== undefined)
    notes.push(`${folder}: config.json speaks of quantization (${quantization.method}), but no tensor is quantized`)
  return { tensors: new Map(kept), config: config && withoutQuantization(config), notes }
}

interface NamedSource {
  readonly name: string
  readonly source: TensorSource
}

function withScale(
  folder: string,
  { name: tensor, source }: NamedSource,
  { name: scale, source: scales }: NamedSource,
  blockSize: readonly number[] | undefined,
): DequantizedSource {
  const { shape } = source
  const blocks = scaleBlocks(shape, scales.shape, blockSize)
  if (blocks === undefined || !isWideFloat(scales.dtype))
    throw new CheckpointError({ code: 'scale-shape', folder, scale, scaleShape: scales.shape, tensor, shape })
  return { kind: 'dequantized', dtype: 'F32', shape, source, scale: scales, ...blocks }
}

interface Quantization {
  readonly method: string
  readonly blockSize: readonly number[] | undefined
}

const configKeys = ['quantization_config', 'compression_config']

/** Of the model, or of its text part. */
function findQuantization(config: ModelConfig): Quantization | undefined {
  for (const part of [config, config['text_config'], config['llm_config']]) {
    for (const key of configKeys) {
      const found = (part as ModelConfig | undefined)?.[key]
      if (typeof found !== 'object' || found === null) continue
      const { quant_method: method, weight_block_size: blockSize } = found as Record<string, unknown>
      const isPair =
        Array.isArray(blockSize) &&
        blockSize.length === 2 &&
        blockSize.every((size) => Number.isInteger(size) && size > 0)
      return {
        method: typeof method === 'string' ? method : describeLoading(found as Record<string, unknown>),
        blockSize: isPair ? (blockSize as number[]) : undefined,
      }
    }
  }
  return undefined
}

const describeLoading = (found: Record<string, unknown>): string =>
  found['load_in_4bit'] === true || found['load_in_8bit'] === true ? 'bitsandbytes' : 'an unnamed method'

function withoutQuantization(config: ModelConfig): ModelConfig {
  const isObject = (value: unknown): value is ModelConfig =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const kept = Object.entries(config).filter(([key]) => !configKeys.includes(key))
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      (key === 'text_config' || key === 'llm_config') && isObject(value) ? withoutQuantization(value) : value,
    ]),
  )
}

function refuseOthers(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  quantization: Quantization | undefined,
): void {
  const refuse = (scheme: string, evidence: string): never => {
    throw new CheckpointError({ code: 'quantized', folder, scheme, evidence })
  }
  for (const name of tensors.keys()) {
    const scheme = refusedByName.find(([, pattern]) => pattern.test(name))?.[0]
    if (scheme !== undefined) {
      const method = quantization?.method
      refuse(method === undefined || float8Methods.includes(method) ? scheme : method, `tensor '${name}'`)
    }
  }
  for (const [name, source] of tensors) {
    const isPackedWeight = isSmallInteger(source.dtype) && source.shape.length > 1 && name.endsWith('weight')
    if (isPackedWeight && (quantization !== undefined || scaleNames(name).some((scale) => tensors.has(scale)))) {
      refuse(quantization?.method ?? 'integers and scales', `tensor '${name}' holds ${source.dtype}`)
    }
  }
}

const isFloat8 = (dtype: Dtype): boolean => dtype === 'F8_E4M3' || dtype === 'F8_E5M2'
const isWideFloat = (dtype: Dtype): boolean => dtype === 'F32' || dtype === 'BF16' || dtype === 'F16' || dtype === 'F64'
const isSmallInteger = (dtype: Dtype): boolean => dtype === 'I8' || dtype === 'U8' || dtype === 'I32' || dtype === 'U32'
