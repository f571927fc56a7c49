import type { GgufValue } from '@mk/gguf'
import type { MergeInputs } from './merge-inputs.ts'

const key = 'tokenizer.ggml.tokens'

/** Warns of GGUFs whose tokens are others than the donor's, or in another order, so that rows of embeddings don't belong together. */
export function compareGgufTokens({ checkpoints, labels, donor }: MergeInputs): readonly string[] {
  const own = tokensOf(checkpoints[donor]!.gguf?.metadata.get(key))
  return checkpoints.flatMap(({ gguf }, input) => {
    const other = tokensOf(gguf?.metadata.get(key))
    const at = own === undefined || other === undefined ? -1 : firstDifference(own, other)
    if (at < 0) return []
    const [mine, theirs] = [own, other].map((tokens) => JSON.stringify(tokens![at]))
    return [
      `token ${at} is ${theirs} in ${labels[input]} and ${mine} in ${labels[donor]}: their embeddings are merged row by row all the same`,
    ]
  })
}

const tokensOf = (value: GgufValue | undefined): readonly string[] | undefined =>
  value?.type === 'array' && value.elementType === 'string' ? value.values : undefined

/** Of the tokens that both have; a vocabulary that goes on is told by the number of rows. */
function firstDifference(a: readonly string[], b: readonly string[]): number {
  const common = Math.min(a.length, b.length)
  for (let index = 0; index < common; index++) if (a[index] !== b[index]) return index
  return -1
}
