/** The value of a config.json. */
export type ModelConfig = Readonly<Record<string, unknown>>

/** What config.json says of quantization. */
export interface Quantization {
  readonly method: string
  /** Rows and columns of a block that has one scale. */
  readonly blockSize: readonly number[] | undefined
  /** All that it says. */
  readonly settings: ModelConfig
}

const configKeys = ['quantization_config', 'compression_config', 'quantization']
const parts = ['text_config', 'llm_config', 'language_config', 'thinker_config']

/** Finds what a config says of quantization, of the model or of its text part. */
export function findQuantization(config: ModelConfig): Quantization | undefined {
  for (const part of [config, ...parts.map((key) => config[key])]) {
    for (const key of configKeys) {
      const found = isObject(part) ? part[key] : undefined
      if (!isObject(found) || (key === 'quantization' && !tellsScheme(found))) continue
      const { quant_method: method, weight_block_size: blockSize } = found
      const isPair =
        Array.isArray(blockSize) &&
        blockSize.length === 2 &&
        blockSize.every((size) => Number.isInteger(size) && size > 0)
      return {
        method: typeof method === 'string' ? method : describeUnnamed(found),
        blockSize: isPair ? (blockSize as number[]) : undefined,
        settings: found,
      }
    }
  }
  return undefined
}

const describeUnnamed = (found: ModelConfig): string => {
  if (found['load_in_4bit'] === true || found['load_in_8bit'] === true) return 'bitsandbytes'
  if (isOfMlx(found)) return 'MLX'
  return typeof found['quant_algo'] === 'string' ? found['quant_algo'] : 'an unnamed method'
}

/** MLX tells group size and bits for all layers, or layer by layer. */
const isOfMlx = (found: ModelConfig): boolean => 'group_size' in found && 'bits' in found

/** `quantization` may mean something else to a model of another kind. */
const tellsScheme = (found: ModelConfig): boolean =>
  ['group_size', 'bits', 'mode', 'quant_method'].some((key) => key in found)

/** Leaves out what a config says of quantization. */
export function withoutQuantization(config: ModelConfig): ModelConfig {
  const kept = Object.entries(config).filter(
    ([key, value]) => !configKeys.includes(key) || (key === 'quantization' && !(isObject(value) && tellsScheme(value))),
  )
  return Object.fromEntries(
    kept.map(([key, value]) => [key, parts.includes(key) && isObject(value) ? withoutQuantization(value) : value]),
  )
}

export const isObject = (value: unknown): value is ModelConfig =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
