import { isObject, type ModelConfig, type Quantization } from './config-quantization.ts'
import { awq } from './layouts/awq.ts'
import { bitsandbytes4bit, bitsandbytesInt8 } from './layouts/bitsandbytes.ts'
import { compressedIntegers, compressedPacked } from './layouts/compressed-tensors.ts'
import { gptq } from './layouts/gptq.ts'
import type { Layout } from './layouts/layout.ts'
import { mlx } from './layouts/mlx.ts'
import { mxfp4 } from './layouts/mxfp4.ts'
import { compressedFp4, modeloptNvfp4 } from './layouts/nvfp4.ts'
import { taskMask } from './layouts/task-mask.ts'

/** A method of quantization whose weights can be read. */
interface Scheme {
  readonly layouts: readonly Layout[]
  /** Values of settings with which weights lie otherwise than the layouts say. */
  readonly variants?: Readonly<Record<string, readonly unknown[]>>
}

/** By `quant_method`, or what a config without one is taken for. Beside these, float8 with plain scales is read, whatever it is called. */
const schemes: Readonly<Record<string, Scheme>> = {
  bitsandbytes: { layouts: [bitsandbytes4bit, bitsandbytesInt8] },
  gptq: {
    layouts: [gptq],
    variants: { checkpoint_format: ['gptq', 'gptq_v2'], format: ['gptq', 'gptq_v2'], is_marlin_format: [false] },
  },
  awq: { layouts: [awq], variants: { version: ['gemm', 'GEMM'], format: ['gemm', 'GEMM'], bits: [4], w_bit: [4] } },
  'compressed-tensors': { layouts: [compressedFp4, compressedPacked, compressedIntegers] },
  modelopt: { layouts: [modeloptNvfp4] },
  mxfp4: { layouts: [mxfp4] },
  MLX: { layouts: [mlx] },
  'task mask': { layouts: [taskMask] },
}

/** Finds how the weights of a model may lie that config.json says are quantized; nothing where they can't be read. */
export function layoutsOf({ method, settings }: Quantization, config: ModelConfig): readonly Layout[] {
  const scheme = Object.hasOwn(schemes, method) ? schemes[method] : undefined
  return scheme === undefined || findVariant(scheme, settings) !== undefined || isTransposed(config)
    ? []
    : scheme.layouts
}

/** Names a method with what it can't be read for, if that is a setting. */
export function describeMethod({ method, settings }: Quantization, config: ModelConfig | undefined): string {
  const scheme = Object.hasOwn(schemes, method) ? schemes[method] : undefined
  const variant = scheme && findVariant(scheme, settings)
  if (variant !== undefined) return `${method} (${variant} ${JSON.stringify(settings[variant])})`
  return scheme !== undefined && config !== undefined && isTransposed(config)
    ? `${method}, where the weights of its architecture are stored transposed,`
    : method
}

const findVariant = ({ variants = {} }: Scheme, settings: ModelConfig): string | undefined =>
  Object.keys(variants).find(
    (key) => settings[key] !== undefined && settings[key] !== null && !variants[key]!.includes(settings[key]),
  )

/** Conv1D keeps [in, out], and what quantizes it may or may not turn it. */
const isTransposed = (config: ModelConfig): boolean =>
  ['gpt2', 'openai-gpt', 'imagegpt', 'decision_transformer'].some((type) => type === config['model_type']) ||
  (isObject(config['text_config']) && isTransposed(config['text_config']))
