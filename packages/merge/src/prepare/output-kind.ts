import { type MergeConfig, nearestDtype, type OutDtypeName, outDtypeNames, type OutFormat } from '@mk/config'
import type { EncodedGgmlType } from '@mk/gguf'
import { MergeError } from '../errors.ts'

/** What the command line says of the output, above what the recipe does. */
export interface OutputSettings {
  readonly outFormat?: OutFormat
  readonly outDtype?: string
  /** The most ranks of a module of an adapter. */
  readonly rank?: number
}

/** What each format stores its matrices as: `out_dtype` → the format's name of it. */
const storedTypes = {
  safetensors: {
    float64: 'F64',
    float32: 'F32',
    float16: 'F16',
    bfloat16: 'BF16',
    float8_e4m3fn: 'F8_E4M3',
    float8_e5m2: 'F8_E5M2',
  },
  lora: { float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16' },
  gguf: { float32: 'F32', float16: 'F16', bfloat16: 'BF16', q8_0: 'Q8_0', q4_0: 'Q4_0' },
} as const satisfies Record<OutFormat, Partial<Record<OutDtypeName, string>>>

/**
 * Gives a recipe what the command line says of its output.
 * @throws MergeError 'out-dtype' where there is no such type, or the format has it not, as far as that is known
 */
export function withOutput(config: MergeConfig, { outFormat, outDtype, rank }: OutputSettings): MergeConfig {
  const known = outDtypeNames.find((name) => name === outDtype)
  if (outDtype !== undefined && known === undefined) throw outDtypeError(outDtype, outFormat ?? config.outFormat)
  const asked = { ...config, ...(outFormat && { outFormat }), ...(known && { outDtype: known }), ...(rank && { rank }) }
  return asked.outFormat === undefined ? asked : withFormat(asked, asked.outFormat)
}

/**
 * Gives a recipe that names no format the one of its models.
 * @throws MergeError 'out-dtype' where that doesn't have the type
 */
export function withFormat(config: MergeConfig, byDefault: OutFormat): MergeConfig & { readonly outFormat: OutFormat } {
  const { outFormat = byDefault, outDtype } = config
  if (outDtype !== undefined && !Object.hasOwn(storedTypes[outFormat], outDtype))
    throw outDtypeError(outDtype, outFormat)
  return { ...config, outFormat }
}

function outDtypeError(found: string, format: OutFormat | undefined): MergeError {
  const expected = format === undefined ? outDtypeNames : Object.keys(storedTypes[format])
  const isKnown = outDtypeNames.some((name) => name === found)
  const guess = isKnown ? undefined : nearestDtype(found)
  const elsewhere = Object.entries(storedTypes).find(([, types]) => Object.hasOwn(types, found))?.[0]
  return new MergeError({
    code: 'out-dtype',
    found,
    format: format ?? 'an output',
    expected,
    ...(guess !== undefined && { nearest: guess }),
    ...(elsewhere !== undefined && { elsewhere }),
  })
}

/**
 * Gives the type of a GGUF's matrices.
 * @param own what most elements have, for recipes that ask for nothing
 */
export function ggufType({ outDtype, dtype }: MergeConfig, own: OutDtypeName | undefined): EncodedGgmlType {
  const types: Partial<Record<OutDtypeName, EncodedGgmlType>> = storedTypes.gguf
  const asked = outDtype ?? dtype ?? own
  // Dtypes that llama.cpp doesn't compute in, which nobody asked to be stored.
  return (asked && types[asked]) ?? (asked === 'float64' ? 'F32' : 'BF16')
}
