import type { VocabularyNotice } from '../notices.ts'
import type { LoadedTokenizer, ModelTokenizer } from '../parse/model-tokenizer.ts'
import type { VocabularyInput } from './vocabulary-models.ts'

const flagNames = ['special', 'normalized', 'lstrip', 'rstrip', 'single_word'] as const
const isLoaded = (tokenizer: ModelTokenizer): tokenizer is LoadedTokenizer =>
  tokenizer.kind !== 'missing' && tokenizer.kind !== 'sentencepiece-only'

/** Finds where the inputs contradict one another. */
export function compareTokenizers(inputs: readonly VocabularyInput[]): VocabularyNotice[] {
  return [
    ...differentFlags(inputs),
    ...differentSpecialTokens(inputs),
    ...differentTemplates(inputs),
    ...differentKinds(inputs),
  ]
}

function differentFlags(inputs: readonly VocabularyInput[]): VocabularyNotice[] {
  const first = new Map<string, number>()
  const tokens: { token: string; models: readonly [number, number]; flags: readonly string[] }[] = []
  for (const [model, { tokenizer }] of inputs.entries()) {
    if (!isLoaded(tokenizer)) continue
    for (const token of tokenizer.added.values()) {
      const other = first.get(token.content)
      if (other === undefined) {
        first.set(token.content, model)
        continue
      }
      const before = (inputs[other]!.tokenizer as LoadedTokenizer).added.get(token.content)!
      const flags = flagNames.filter((flag) => before[flag] !== token[flag])
      if (flags.length > 0 && (before.special || token.special))
        tokens.push({ token: token.content, models: [other, model], flags })
    }
  }
  return tokens.length > 0 ? [{ code: 'special-flags-differ', tokens }] : []
}

function differentSpecialTokens(inputs: readonly VocabularyInput[]): VocabularyNotice[] {
  return ['bos', 'eos', 'pad'].flatMap((role): VocabularyNotice[] => {
    const tokens = inputs.map(({ tokenizer }) => specialToken(role, tokenizer))
    return new Set(tokens.filter((token) => token !== undefined)).size > 1
      ? [{ code: 'special-tokens-differ', role, tokens }]
      : []
  })
}

/** What generation uses, else what the tokenizer says; several are joined. */
function specialToken(role: string, tokenizer: ModelTokenizer): string | undefined {
  const named = tokenizer.specialTokens.get(`${role}_token`)
  if (!isLoaded(tokenizer)) return named
  const settings = tokenizer.tokenIds.filter(({ path }) => path.length === 1 && path[0] === `${role}_token_id`)
  const setting = settings.find(({ file }) => file === 'generation_config.json') ?? settings[0]
  if (setting === undefined) return named
  const tokens = [...new Set([setting.ids].flat())].flatMap((id) => tokenizer.tokens[id] ?? [])
  return tokens.length > 0 ? tokens.sort().join(' ') : named
}

function differentTemplates(inputs: readonly VocabularyInput[]): VocabularyNotice[] {
  const groups = new Map<string, number[]>()
  for (const [model, { tokenizer }] of inputs.entries()) {
    const text = tokenizer.chatTemplate?.text.trim()
    if (text !== undefined) groups.set(text, [...(groups.get(text) ?? []), model])
  }
  return groups.size > 1 ? [{ code: 'chat-templates-differ', groups: [...groups.values()] }] : []
}

function differentKinds(inputs: readonly VocabularyInput[]): VocabularyNotice[] {
  const kinds = inputs.map(({ tokenizer }) => (isLoaded(tokenizer) ? tokenizer.kind : undefined))
  return new Set(kinds.filter((kind) => kind !== undefined)).size > 1 ? [{ code: 'kinds-differ', kinds }] : []
}
