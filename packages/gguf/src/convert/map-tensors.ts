import type { GgufContent, GgufPart, GgufTensorPlan } from '../tensor-plan.ts'
import { type ConfigValues, needSetting } from './config-values.ts'
import { ConversionError, some } from './errors.ts'
import type { GgufFamily, TensorRule } from './family.ts'

/** A tensor of a model, as its header has it. */
export interface NamedShape {
  readonly name: string
  readonly shape: readonly number[]
}

/** What one tensor of the model gives to one of the file. */
interface Contribution extends NamedShape {
  readonly rule: TensorRule
  readonly expert: number | undefined
  readonly half: 0 | 1 | undefined
}

/**
 * Maps a model's tensors to those of a GGUF, in the order in which the model has them.
 *
 * @throws ConversionError `gguf-unmapped-tensors`, `gguf-missing-tensors`, `gguf-tensor-rows`, `gguf-config`.
 */
export function mapTensors(
  family: GgufFamily,
  config: ConfigValues,
  tensors: readonly NamedShape[],
): { tensors: GgufTensorPlan[]; leftOut: Map<string, string> } {
  const rules = new Map(Object.entries(family.tensors).map(([pattern, rule]) => [withoutMarks(pattern), rule]))
  const reasons = Object.entries(family.leftOut ?? {}).map(([pattern, why]) => [withoutMarks(pattern), why] as const)
  const layerCount = needSetting(config, { config: ['num_hidden_layers'] }, 'num_hidden_layers')
  if (layerCount > tensors.length)
    throw new ConversionError({
      code: 'gguf-config',
      path: 'num_hidden_layers',
      expected: `as many layers as ${tensors.length} tensors have`,
      found: String(layerCount),
    })
  const leftOut = new Map<string, string>()
  const unmapped: string[] = []
  const byTarget = new Map<string, Contribution[]>()
  for (const tensor of tensors) {
    const name = (family.nameWithout ?? []).reduce((text, part) => text.replace(part, ''), tensor.name)
    const { pattern, numbers } = withoutNumbers(name)
    const why = reasons.find(([start]) => pattern === start || (start.endsWith('.') && pattern.startsWith(start)))?.[1]
    const rule = rules.get(pattern)
    if (why !== undefined) leftOut.set(tensor.name, why)
    else if (pattern === head && config['tie_word_embeddings'] === true)
      leftOut.set(tensor.name, 'the embedding is the head')
    else if (rule === undefined || Number(numbers[0] ?? 0) >= layerCount) unmapped.push(tensor.name)
    else place(tensor, rule, numbers)
  }
  if (unmapped.length > 0)
    throw new ConversionError({ code: 'gguf-unmapped-tensors', family: family.architecture, tensors: some(unmapped) })
  checkComplete(family, layerCount, byTarget)
  const embedding = byTarget.get('token_embd.weight')
  if (family.needsHead === true && config['tie_word_embeddings'] === true && embedding !== undefined)
    byTarget.set('output.weight', embedding)
  if (config['tie_word_embeddings'] === false && rules.has(head) && !byTarget.has('output.weight'))
    throw new ConversionError({ code: 'gguf-missing-tensors', family: family.architecture, tensors: `'${head}'` })
  return { tensors: [...byTarget].map(([name, parts]) => planTensor(config, name, parts)), leftOut }

  function place(tensor: NamedShape, rule: TensorRule, [layer = '', expert]: readonly string[]): void {
    const names = targetsOf(rule)
    for (const [index, name] of names.entries()) {
      const target = name.replace('{layer}', layer)
      const half = names.length > 1 ? ((index === 0 ? 0 : 1) as 0 | 1) : undefined
      const contribution = { ...tensor, rule, expert: expert === undefined ? undefined : Number(expert), half }
      const others = byTarget.get(target)
      if (others === undefined) byTarget.set(target, [contribution])
      else others.push(contribution)
    }
  }
}

const head = 'lm_head.weight'

const targetsOf = (rule: TensorRule): readonly string[] =>
  typeof rule === 'string' ? [rule] : 'halves' in rule ? rule.halves : [rule.name]

/** A pattern of a family with the same mark for each of its numbers: the layer's, then the expert's. */
export const withoutMarks = (pattern: string): string => pattern.replaceAll(/\{(?:layer|expert)\}/g, '#')

/** A name with that mark for each of its parts that is a number, and these. */
export function withoutNumbers(name: string): { readonly pattern: string; readonly numbers: readonly string[] } {
  const numbers: string[] = []
  const parts = name.split('.').map((part) => (/^\d+$/.test(part) ? (numbers.push(part), '#') : part))
  return { pattern: parts.join('.'), numbers }
}

function checkComplete(family: GgufFamily, layerCount: number, found: ReadonlyMap<string, unknown>): void {
  const missing = new Set<string>()
  for (const rule of Object.values(family.tensors)) {
    if (typeof rule === 'object' && 'optional' in rule && rule.optional) continue
    for (const name of targetsOf(rule)) {
      const layers = name.includes('{layer}') ? Array.from({ length: layerCount }, (_, layer) => String(layer)) : ['']
      for (const layer of layers) {
        const target = name.replace('{layer}', layer)
        if (!found.has(target)) missing.add(target)
      }
    }
  }
  if (missing.size > 0)
    throw new ConversionError({
      code: 'gguf-missing-tensors',
      family: family.architecture,
      tensors: some([...missing]),
    })
}

function planTensor(config: ConfigValues, name: string, contributions: readonly Contribution[]): GgufTensorPlan {
  const [first] = contributions as [Contribution, ...Contribution[]]
  const { rule, shape } = first
  const type = typeof rule === 'object' && 'type' in rule ? rule.type : undefined
  const planned = { name, ...(type === undefined ? {} : { type }) }
  if (first.expert !== undefined) {
    const parts = stackedExperts(name, contributions)
    return { ...planned, shape: [parts.length, ...shape], content: { kind: 'rows', parts } }
  }
  if (contributions.length > 1)
    throw rowsError(contributions[1]!, `no second tensor for ${name}, which '${first.name}' is`)
  if (first.half !== undefined) return { ...planned, ...halfOf(first, first.half) }
  const add = typeof rule === 'object' && 'add' in rule ? rule.add : undefined
  const content: GgufContent = {
    kind: 'rows',
    parts: [{ source: first.name, ...interleaving(config, first) }],
    ...(add === undefined ? {} : { add }),
  }
  return { ...planned, shape, content }
}

/** @throws ConversionError where the numbers of the experts are not 0, 1, 2, …, or their shapes differ. */
function stackedExperts(name: string, contributions: readonly Contribution[]): GgufPart[] {
  const sorted = contributions.toSorted((a, b) => a.expert! - b.expert!)
  for (const [number, contribution] of sorted.entries()) {
    if (contribution.expert !== number)
      throw rowsError(contribution, `experts numbered from 0 without gaps; ${name} lacks number ${number}`)
    if (contribution.shape.join() !== sorted[0]!.shape.join())
      throw rowsError(contribution, `${JSON.stringify(sorted[0]!.shape)} as the other experts`)
  }
  return sorted.map(({ name: source }) => ({ source }))
}

/** Half of the rows of each matrix of a stack. */
function halfOf(tensor: Contribution, half: 0 | 1): Pick<GgufTensorPlan, 'shape' | 'content'> {
  const { name: source, shape } = tensor
  const rows = shape.at(-2)
  if (rows === undefined || rows % 2 !== 0)
    throw rowsError(tensor, 'an even number of rows, of which each expert has two halves')
  const count = rows / 2
  const matrices = shape.slice(0, -2).reduce((product, size) => product * size, 1)
  const parts = Array.from({ length: matrices }, (_, matrix) => ({
    source,
    rows: { start: (2 * matrix + half) * count, count },
  }))
  return { shape: [...shape.slice(0, -2), count, shape.at(-1)!], content: { kind: 'rows', parts } }
}

function interleaving(config: ConfigValues, tensor: Contribution): Pick<GgufPart, 'interleaveHeads'> {
  const { rule, shape } = tensor
  if (typeof rule === 'string' || !('interleave' in rule) || rule.interleave === undefined) return {}
  const key = rule.interleave
  const interleaveHeads = needSetting(config, { config: [key, 'num_attention_heads'] }, key)
  if (interleaveHeads === 0 || shape[0]! % (2 * interleaveHeads) !== 0)
    throw rowsError(tensor, `an even number of rows for each of ${interleaveHeads} heads`)
  return { interleaveHeads }
}

const rowsError = ({ name, shape }: NamedShape, expected: string): ConversionError =>
  new ConversionError({ code: 'gguf-tensor-rows', tensor: name, shape: JSON.stringify(shape), expected })
