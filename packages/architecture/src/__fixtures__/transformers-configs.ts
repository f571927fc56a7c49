import { readFileSync } from 'node:fs'
import type { ModelConfig, TensorFacts } from '../layout.ts'

/** What transformers says of two copies of a stack, one upon the other. */
interface ExpectedStack {
  /** What precedes the layer's number in names of tensors. */
  readonly path: string
  /** What config.json says otherwise than for one copy, by dotted path. */
  readonly changes: Readonly<Record<string, unknown>>
  /** Where no config gives the layers what they were: some tensors that the class lacks, doesn't read, or has in another shape. */
  readonly unfit?: {
    readonly missing: readonly string[]
    readonly unexpected: readonly string[]
    readonly shapes: Readonly<Record<string, readonly number[]>>
  }
}

export interface TransformersFamily {
  readonly family: string
  /** config.json of a model with three layers in each stack. */
  readonly config: ModelConfig
  readonly tensors: readonly TensorFacts[]
  readonly stacks: Readonly<Record<string, ExpectedStack>>
  /** What config.json says otherwise with 48 tokens instead of 40. */
  readonly vocabulary: Readonly<Record<string, number>>
  /** Paths of settings that change with the number of experts and with widths. */
  readonly experts: readonly string[]
  readonly widths: readonly string[]
}

interface Stored extends Omit<TransformersFamily, 'family' | 'tensors'> {
  readonly tensors: readonly string[]
}

interface Fixture {
  readonly transformers: string
  readonly unknown: Readonly<Record<string, string>>
  readonly families: Readonly<Record<string, Stored>>
}

/** Made by scripts/make-config-fixtures.py; the text, since it tells 0.0 from 0. */
export const fixtureText = readFileSync(new URL('transformers-configs.json', import.meta.url), 'utf8')
const fixture = JSON.parse(fixtureText) as Fixture

export const transformersFamilies: readonly TransformersFamily[] = Object.entries(fixture.families).map(
  ([family, stored]) => ({ ...stored, family, tensors: stored.tensors.flatMap(unfold) }),
)

/** Families that transformers has no class for, and why. */
export const unknownFamilies = fixture.unknown

/** `h.{0-2}.ln.weight 16` → three tensors of 16 elements. */
function unfold(line: string): TensorFacts[] {
  const [pattern = '', ...lengths] = line.split(' ')
  return unfoldNames(pattern).map((name) => ({ name, shape: lengths.map(Number) }))
}

function unfoldNames(pattern: string): string[] {
  const range = /\{(\d+)-(\d+)\}/.exec(pattern)
  if (range === null) return [pattern]
  const [first, last] = [Number(range[1]), Number(range[2])]
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  return numbers.flatMap((number) => unfoldNames(pattern.replace(range[0], String(number))))
}
