import type { GgufMetadata } from '../metadata.ts'
import type { GgufTensorPlan } from '../tensor-plan.ts'
import { type ConfigValues, needSetting } from './config-values.ts'
import { ConversionError, some } from './errors.ts'
import { ggufFamilies } from './families/all-families.ts'
import { buffers } from './families/llama-like.ts'
import { expertMark, type GgufFamily, type TensorRule } from './family.ts'
import { mapTensors, type NamedShape, withoutMarks, withoutNumbers } from './map-tensors.ts'

/** A model of a family without a map, and a GGUF of a model like it. */
export interface LikeRequest {
  /** config.json. */
  readonly config: ConfigValues
  readonly tensors: readonly NamedShape[]
  readonly donor: { readonly metadata: GgufMetadata; readonly tensors: readonly NamedShape[] }
}

/** What may have become of the tensors of one name, of which `source` is the first. */
export interface LikeQuestion {
  readonly pattern: string
  readonly source: string
  readonly answers: readonly LikeAnswer[]
}

/** What a tensor of a model may be in a GGUF that is there already. */
export interface LikeAnswer {
  readonly rule: TensorRule
  /** The tensor of the donor that `source`, or the beginning of which, would be. */
  readonly target: string
  readonly interleaveHeads?: number
  readonly add?: number
}

/**
 * Lists, for each name of the model's tensors that families with a map have, what those make of it and the donor has in that shape.
 * Which of it is right, the elements tell.
 */
export function listLikeQuestions({ config, tensors, donor }: LikeRequest): LikeQuestion[] {
  const shapes = new Map(donor.tensors.map(({ name, shape }) => [name, shape]))
  const firsts = new Map<string, NamedShape>()
  for (const tensor of tensors) {
    const { pattern } = withoutNumbers(tensor.name)
    if (!firsts.has(pattern)) firsts.set(pattern, tensor)
  }
  return [...knownRules()].flatMap(([pattern, rules]): LikeQuestion[] => {
    const first = firsts.get(withoutMarks(pattern))
    if (first === undefined) return []
    const [layer = ''] = withoutNumbers(first.name).numbers
    const answers = rules.flatMap((rule): LikeAnswer[] => {
      const { name, interleave, add } = rule
      const target = name.replace('{layer}', layer)
      const shape = pattern.includes(expertMark) ? shapes.get(target)?.slice(1) : shapes.get(target)
      if (shape === undefined || product(shape) !== product(first.shape)) return []
      const heads = interleave && needSetting(config, { config: [interleave, 'num_attention_heads'] }, interleave)
      const moves = heads !== undefined && { interleaveHeads: heads }
      return [{ rule, target, ...moves, ...(add !== undefined && { add }) }]
    })
    return answers.length === 0 ? [] : [{ pattern, source: first.name, answers }]
  })
}

const product = (shape: readonly number[]): number => shape.reduce((count, size) => count * size, 1)

type NamedRule = Exclude<TensorRule, string | { readonly halves: unknown }>

/** The rules of all families, by pattern, each once; without those that take tensors apart. */
function knownRules(): ReadonlyMap<string, readonly NamedRule[]> {
  const found = new Map<string, Map<string, NamedRule>>()
  for (const { tensors } of ggufFamilies)
    for (const [pattern, rule] of Object.entries(tensors)) {
      if (typeof rule === 'object' && 'halves' in rule) continue
      const named: NamedRule = typeof rule === 'string' ? { name: rule } : rule
      const key = [named.name, named.interleave, named.add].join()
      found.set(pattern, (found.get(pattern) ?? new Map<string, NamedRule>()).set(key, named))
    }
  return new Map([...found].map(([pattern, rules]) => [pattern, [...rules.values()]]))
}

/**
 * Plans tensors by rules that were found to be right.
 * @param rules by pattern
 * @throws ConversionError 'gguf-unmapped-tensors', 'gguf-missing-tensors' where model and donor don't have the same tensors
 */
export function planLearnedTensors(
  { config, tensors, donor }: LikeRequest,
  rules: ReadonlyMap<string, TensorRule>,
): { readonly tensors: readonly GgufTensorPlan[]; readonly leftOut: ReadonlyMap<string, string> } {
  const architecture = donor.metadata.get('general.architecture')
  const family = architecture?.type === 'string' ? architecture.value : 'what it is like'
  const learned: GgufFamily = { ...without, architecture: family, tensors: Object.fromEntries(rules) }
  const mapped = mapTensors(learned, config, tensors)
  const made = new Set(mapped.tensors.map(({ name }) => name))
  const layerCount = needSetting(config, { config: ['num_hidden_layers'] }, 'num_hidden_layers')
  const isWanted = (name: string) => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) < layerCount
  const missing = donor.tensors.filter(({ name }) => isWanted(name) && !isConstant(name) && !made.has(name))
  if (missing.length > 0)
    throw new ConversionError({ code: 'gguf-missing-tensors', family, tensors: some(missing.map(({ name }) => name)) })
  return mapped
}

/** Tells whether a tensor of a GGUF is computed from its config. */
export const isConstant = (name: string): boolean => /^rope_(freqs|factors_long|factors_short)\.weight$/.test(name)

const without = {
  modelTypes: [],
  architectures: [],
  settings: [],
  rope: { theta: 10_000, scalings: [], writesTheta: true },
  leftOut: buffers,
} as const
