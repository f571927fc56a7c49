import type { GgufValue } from '../metadata.ts'
import type { GgufTensorPlan } from '../tensor-plan.ts'
import { type ConfigValues } from './config-values.ts'

/** What `general.file_type` has for the type of most tensors: ggml's `llama_ftype`. */
const fileTypes: Readonly<Record<string, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  BF16: 32,
}

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value })
const string = (value: string): GgufValue => ({ type: 'string', value })

/** generation_config.json's keys → how a sampler of llama.cpp starts. */
const samplingKeys = [
  ['top_k', 'general.sampling.top_k', 'int32'],
  ['top_p', 'general.sampling.top_p', 'float32'],
  ['min_p', 'general.sampling.min_p', 'float32'],
  ['temperature', 'general.sampling.temp', 'float32'],
  ['repetition_penalty', 'general.sampling.penalty_repeat', 'float32'],
] as const

/** Writes the keys that say what the file is. */
export function generalMetadata(facts: {
  readonly name: string
  readonly generation: ConfigValues
  readonly tensors: readonly GgufTensorPlan[]
}): [string, GgufValue][] {
  const sampling = samplingKeys.flatMap(([from, key, type]): [string, GgufValue][] => {
    const value = facts.generation[from]
    return typeof value === 'number' ? [[key, { type, value }]] : []
  })
  return [
    ['general.type', string('model')],
    ...sampling,
    ['general.name', string(facts.name)],
    ['general.size_label', string(sizeLabel(facts.tensors))],
  ]
}

/** Writes the keys that say how most tensors are stored. */
export function storageMetadata(type: string): [string, GgufValue][] {
  const fileType = fileTypes[type]
  return [
    ...(fileType === undefined ? [] : [['general.file_type', uint32(fileType)] as [string, GgufValue]]),
    ['general.quantization_version', uint32(2)],
  ]
}

/** Counts the parameters as names of models do: `1.5M`, or `8x7B` where there are experts. */
export function sizeLabel(tensors: readonly Pick<GgufTensorPlan, 'name' | 'shape'>[]): string {
  let total = 0
  let ofOneExpert = 0
  let counts = 0
  let stacks = 0
  for (const { name, shape } of tensors) {
    const size = shape.reduce((product, dimension) => product * dimension, 1)
    const experts = name.includes('_exps.') ? shape[0]! : 1
    if (name.includes('_exps.')) {
      counts += experts
      stacks += 1
    }
    ofOneExpert += Math.floor(size / experts)
    total += size
  }
  if (stacks === 0) return rounded(total)
  return `${Math.floor(counts / stacks)}x${rounded(ofOneExpert)}`
}

/** Two digits at least. */
function rounded(count: number): string {
  const [scale, suffix] = (
    [
      [1e12, 'T'],
      [1e9, 'B'],
      [1e6, 'M'],
    ] as const
  ).find(([least]) => count > least) ?? [1e3, 'K']
  const scaled = count / scale
  const whole = String(Math.round(scaled)).replace(/^0+/, '').length
  return `${scaled.toFixed(Math.max(2 - whole, 0))}${suffix}`
}
