import { familyFacts } from './families.ts'

const beforeWord =
  /embed|^(?:emb|embd|wte|wpe|pos|tok|patch|pre|stem|in|front|subsample|rotary|relative|token)$|^conv|position|^pre(?!dict)/
const afterWord =
  /^(?:norm|f|ln|head|heads|output|out|outputs|final|post|layernorm|pooler|pool|classifier|classification|score|scores|cls|predictions|prediction|logits|logit|vocab|generator|unembed|lm|merger|mtp|nextn|projection|qa|value|adapter)$|norm$/

/**
 * Whether a tensor outside the layers comes before or after them, by its name's words: embeddings and what prepares the
 * input come before, norms, poolers and heads after. `name` is what follows the path that the layers share.
 */
export function positionOf(name: string, family: string | undefined): 'before' | 'after' {
  for (const [part, position] of Object.entries(familyFacts(family).positions ?? {}))
    if (name.includes(part)) return position
  const words = wordsOf(name)
  if (/unembed|classifier|(?:^|\.)embed_out\./.test(name)) return 'after'
  if (words.some((word) => beforeWord.test(word))) return 'before'
  return words.some((word) => afterWord.test(word)) ? 'after' : 'before'
}

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[._]/)
}
