import type { ModelConfig } from './layout.ts'
import { isPart } from './settings.ts'

const dtypes = ['float32', 'float16', 'bfloat16'] as const

/**
 * Finds the dtype of the weights in config.json, at the top or else in its text part, under the old name (`torch_dtype`) or
 * the new one (`dtype`, from transformers 4.56 on); undefined where there is none of these three.
 */
export function weightsDtype(config: ModelConfig | undefined): (typeof dtypes)[number] | undefined {
  const text = config?.['text_config']
  const values = [config, isPart(text) ? text : undefined].flatMap((part) => [part?.['torch_dtype'], part?.['dtype']])
  for (const value of values) {
    const dtype = dtypes.find((name) => name === value)
    if (dtype !== undefined) return dtype
  }
  return undefined
}
