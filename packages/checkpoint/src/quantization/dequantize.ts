import { counted, quoted } from '@mk/errors'
import type { Dtype } from '@mk/safetensors'
import { CheckpointError } from '../errors.ts'
import type { DequantizedSource, TensorSource } from '@mk/source'
import { hasTaskMasks } from './layouts/task-mask.ts'
import { findQuantization, type Quantization, withoutQuantization } from './config-quantization.ts'
import { openQuantized } from './open-quantized.ts'
import type { ReadSmall } from './parts.ts'
import { refuseQuantized } from './refuse-quantized.ts'
import { leftoverName, scaleName, scaleNames } from './quantization-schemes.ts'
import type { ModelConfig } from './config-quantization.ts'
import { scaleBlocks } from './scale-blocks.ts'

export interface Dequantized {
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** Without its quantization settings, which no longer hold. */
  readonly config: ModelConfig | undefined
  readonly notes: readonly string[]
}

/**
 * Puts weights in the place of codes and scales, in float32. Float8 weights that never had a scale stay as they are.
 * @param readSmall reads the few bytes of a tensor that have what headers don't, such as a shape
 * @throws CheckpointError quantized where the weights are in a form that can't be merged; `quantized-…`, scale-missing, scale-shape
 */
export async function dequantize(
  folder: string,
  stored: ReadonlyMap<string, TensorSource>,
  config: ModelConfig | undefined,
  readSmall: ReadSmall,
): Promise<Dequantized> {
  const quantization = hasTaskMasks(stored) ? ofTaskMasks : config && findQuantization(config)
  const { tensors, weightCount } =
    quantization === undefined
      ? { tensors: stored, weightCount: 0 }
      : await openQuantized(folder, stored, { quantization, config: config ?? {} }, readSmall)
  refuseQuantized(folder, tensors, quantization, config)
  const used = new Set<string>()
  const dequantized = new Map<string, DequantizedSource>()
  for (const [name, source] of tensors) {
    if (!isFloat8(source.dtype)) continue
    const ownScale = scaleNames(name).find((candidate) => tensors.has(candidate))
    if (ownScale === undefined) {
      if (quantization !== undefined && source.shape.length > 1)
        throw new CheckpointError({ code: 'scale-missing', folder, tensor: name, scheme: quantization.method })
      continue
    }
    used.add(ownScale)
    const scale = { name: ownScale, source: tensors.get(ownScale)! }
    dequantized.set(name, withScale(folder, { name, source }, scale, quantization))
  }
  refuseStrayScales(folder, tensors, used)
  const leftovers =
    dequantized.size + weightCount === 0
      ? []
      : [...tensors.keys()].filter((name) => leftoverName.test(name) && !used.has(name))
  const dropped = new Set([...used, ...leftovers])
  const kept = dropped.size + dequantized.size === 0 ? tensors : withWeights(tensors, dropped, dequantized)
  const notes: string[] = []
  if (weightCount > 0)
    notes.push(
      `${folder}: ${counted(weightCount, 'tensor')} ${weightCount === 1 ? 'is' : 'are'} dequantized (${quantization!.method}) while reading`,
    )
  if (dequantized.size > 0)
    notes.push(
      `${folder}: ${counted(dequantized.size, 'float8 tensor')} ${dequantized.size === 1 ? 'is multiplied by its scales' : 'are multiplied by their scales'} while reading`,
    )
  if (leftovers.length > 0)
    notes.push(`${folder}: ${leftovers.length} scales of activations are left out, such as '${leftovers[0]}'`)
  if (dequantized.size + weightCount === 0 && quantization !== undefined)
    notes.push(`${folder}: config.json speaks of quantization (${quantization.method}), but no tensor is quantized`)
  return { tensors: kept, config: config && withoutQuantization(config), notes }
}

function withWeights(
  tensors: ReadonlyMap<string, TensorSource>,
  dropped: ReadonlySet<string>,
  dequantized: ReadonlyMap<string, TensorSource>,
): ReadonlyMap<string, TensorSource> {
  const kept = new Map<string, TensorSource>()
  for (const [name, source] of tensors) if (!dropped.has(name)) kept.set(name, dequantized.get(name) ?? source)
  return kept
}

/** Files of masks need no config to be known. */
const ofTaskMasks: Quantization = { method: 'task mask', blockSize: undefined, settings: {} }

/** Scales that no float8 weight took: whatever they belong to, the average of scales belongs to nothing. */
function refuseStrayScales(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  used: ReadonlySet<string>,
): void {
  for (const name of tensors.keys())
    if (scaleName.test(name) && !used.has(name))
      throw new CheckpointError({
        code: 'quantized',
        folder,
        scheme: 'scales of weights',
        evidence: `tensor ${quoted(name)}, for which there are no float8 weights`,
      })
}

interface NamedSource {
  readonly name: string
  readonly source: TensorSource
}

function withScale(
  folder: string,
  { name: tensor, source }: NamedSource,
  { name: scale, source: scales }: NamedSource,
  quantization: Quantization | undefined,
): DequantizedSource {
  const { shape } = source
  const blocks = scaleBlocks(shape, scales.shape, quantization?.blockSize)
  const scaleFactors = scalesOf(scales, quantization?.method)
  if (blocks === undefined || scaleFactors === undefined)
    throw new CheckpointError({ code: 'scale-shape', folder, scale, scaleShape: scales.shape, tensor, shape })
  return { kind: 'dequantized', dtype: 'F32', shape, source, scale: scaleFactors, ...blocks }
}

/** Floats as they are, bytes as exponents where MXFP8 has them; undefined for anything else. */
function scalesOf(scales: TensorSource, method: string | undefined): TensorSource | undefined {
  if (isWideFloat(scales.dtype)) return scales
  const values = { kind: 'floats', format: 'e8m0' } as const
  return scales.dtype === 'U8' && method === 'compressed-tensors'
    ? { kind: 'packed', dtype: 'F32', shape: scales.shape, words: scales, bits: 8, along: 'columns', values }
    : undefined
}

const isFloat8 = (dtype: Dtype): boolean => dtype === 'F8_E4M3' || dtype === 'F8_E5M2'
const isWideFloat = (dtype: Dtype): boolean => dtype === 'F32' || dtype === 'BF16' || dtype === 'F16' || dtype === 'F64'
