import type { ModelConfig } from '@mk/architecture'

/** How positions turn the halves of heads against each other (RoPE, Su et al. 2021). */
export interface Rotary {
  /** Radians for each position, for half of the elements of a head. */
  readonly frequencies: Float64Array
  /** Factor on sine and cosine, and so on what queries and keys are. */
  readonly scale: number
  /** The longest text that they hold for; absent: any. */
  readonly longest?: number
}

type Settings = Readonly<Record<string, unknown>>

/**
 * Reads the rotary settings of config.json, as transformers 4 and 5 spell them.
 * @param headSize elements of a head
 * @returns what is not supported, in words, where it isn't
 */
export function readRotary(config: ModelConfig, headSize: number): Rotary | string {
  const settings: Settings = {
    ...(config['rope_scaling'] as Settings | null | undefined),
    ...(config['rope_parameters'] as Settings | null | undefined),
  }
  const type = String(settings['rope_type'] ?? settings['type'] ?? 'default')
  const number = (key: string): number | undefined => (typeof settings[key] === 'number' ? settings[key] : undefined)
  const theta = number('rope_theta') ?? (typeof config['rope_theta'] === 'number' ? config['rope_theta'] : 10_000)
  const share = number('partial_rotary_factor') ?? config['partial_rotary_factor'] ?? 1
  if (share !== 1) return `partial_rotary_factor ${String(share)}`
  const longest = typeof config['max_position_embeddings'] === 'number' ? config['max_position_embeddings'] : 2048
  const facts: Scaling = {
    theta,
    headSize,
    number,
    truncates: settings['truncate'] !== false,
    factor: number('factor') ?? 1,
    originalLength: number('original_max_position_embeddings') ?? longest,
  }
  const plain = Float64Array.from({ length: headSize / 2 }, (_, index) => theta ** ((-2 * index) / headSize))
  switch (type) {
    case 'default':
      return { frequencies: plain, scale: 1 }
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / facts.factor), scale: 1 }
    // It changes with the length of a text, once that is past what the model was trained for.
    case 'dynamic':
      return { frequencies: plain, scale: 1, longest: facts.originalLength }
    case 'llama3':
      return { frequencies: plain.map((frequency) => llama3(frequency, facts)), scale: 1 }
    case 'yarn':
      return yarn(plain, facts)
    default:
      return `rotary embeddings of the type '${type}'`
  }
}

interface Scaling {
  readonly theta: number
  readonly headSize: number
  readonly factor: number
  readonly originalLength: number
  readonly truncates: boolean
  number(key: string): number | undefined
}

/** Low frequencies are slowed down, high ones kept, and those between in part (Llama 3.1). */
function llama3(frequency: number, { factor, originalLength, number }: Scaling): number {
  const [low, high] = [number('low_freq_factor') ?? 1, number('high_freq_factor') ?? 4]
  const turns = (originalLength * frequency) / (2 * Math.PI)
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)))
  return kept * frequency + ((1 - kept) * frequency) / factor
}

/** YaRN (Peng et al. 2023). */
function yarn(plain: Float64Array, { theta, headSize, factor, originalLength, truncates, number }: Scaling): Rotary {
  const placeOf = (turns: number) =>
    (headSize * Math.log(originalLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const [first, last] = [placeOf(number('beta_fast') ?? 32), placeOf(number('beta_slow') ?? 1)]
  const low = Math.max(0, truncates ? Math.floor(first) : first)
  const high = Math.min(headSize - 1, truncates ? Math.ceil(last) : last)
  const width = low === high ? 0.001 : high - low
  const frequencies = plain.map((frequency, index) => {
    const slowed = Math.min(1, Math.max(0, (index - low) / width))
    return frequency * (1 - slowed) + (frequency / factor) * slowed
  })
  const growth = (mscale = 1) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1)
  const [mscale, all] = [number('mscale'), number('mscale_all_dim')]
  const scale = number('attention_factor') ?? (mscale && all ? growth(mscale) / growth(all) : growth())
  return { frequencies, scale }
}

/** Turns each head of a row by its position, in place: [heads × size], the halves of a head being the two parts of its pairs. */
export function rotate(row: Float32Array, position: number, headSize: number, { frequencies, scale }: Rotary): void {
  const half = headSize / 2
  for (let index = 0; index < half; index++) {
    const angle = position * frequencies[index]!
    const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale]
    for (let start = index; start < row.length; start += headSize) {
      const [a, b] = [row[start]!, row[start + half]!]
      row[start] = a * cos - b * sin
      row[start + half] = b * cos + a * sin
    }
  }
}
