import type { LoadedTokenizer } from '@mk/tokenizer'

/** What a token stands for, the same for every kind of tokenizer. */
export interface TokenMeaning {
  readonly id: number
  /** As the tokenizer spells it. */
  readonly token: string
  /** Its bytes, one character each; a word that begins has its space. */
  readonly text: string
  /** `byte`: a byte that stands for itself where no text fits (`<0xE9>`). `special`: it has a role. */
  readonly kind: 'text' | 'byte' | 'special'
  /** Of a special token, such as `bos_token`, in the order in which they are looked for. */
  readonly roles: readonly string[]
}

const roleOrder = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']
const byteToken = /^<0x([0-9A-Fa-f]{2})>$/

/** Reads what the tokens of a vocabulary mean, in the order of their ids. How words begin is decided by tokenizer.json. */
export function listMeanings(tokenizer: LoadedTokenizer): readonly TokenMeaning[] {
  const { ids, added, specialTokens } = tokenizer
  const roles = new Map<string, string[]>()
  const placeOf = (role: string) => (roleOrder.includes(role) ? roleOrder.indexOf(role) : roleOrder.length)
  for (const [role, token] of [...specialTokens].sort(([a], [b]) => placeOf(a) - placeOf(b)))
    roles.set(token, [...(roles.get(token) ?? []), role])
  const decode = decoderOf(tokenizer)
  return [...ids]
    .map(([token, id]): TokenMeaning => {
      const ofToken = roles.get(token)
      if (ofToken !== undefined) return { id, token, text: bytesOf(token), kind: 'special', roles: ofToken }
      const { text, isByte } = decode(token, added.get(token))
      return { id, token, text, kind: isByte ? 'byte' : 'text', roles: [] }
    })
    .sort((a, b) => a.id - b.id)
}

type Decode = (
  token: string,
  added: { readonly special: boolean } | undefined,
) => { readonly text: string; readonly isByte: boolean }

function decoderOf(tokenizer: LoadedTokenizer): Decode {
  const { kind, document } = tokenizer
  if (kind === 'byte-level-bpe') {
    const bytes = byteLevelBytes()
    return (token, added) => {
      // What is found in the text before it becomes bytes is spelled as in the text.
      if (added !== undefined) return { text: bytesOf(token), isByte: false }
      let text = ''
      for (const character of token) text += bytes.get(character) ?? bytesOf(character)
      return { text, isByte: false }
    }
  }
  const prefix = document.model['continuing_subword_prefix']
  if (kind === 'wordpiece' && typeof prefix === 'string' && prefix !== '')
    return (token, added) => {
      const isInner = token.startsWith(prefix)
      const text = isInner ? token.slice(prefix.length) : added === undefined ? ` ${token}` : token
      return { text: bytesOf(text), isByte: false }
    }
  const marks = [...new Set(spaceMarks(document))]
  return (token, added) => {
    const byte = added?.special === true ? null : byteToken.exec(token)
    if (byte !== null) return { text: String.fromCharCode(Number.parseInt(byte[1]!, 16)), isByte: true }
    const text = added?.special === true ? token : marks.reduce((all, mark) => all.replaceAll(mark, ' '), token)
    return { text: bytesOf(text), isByte: false }
  }
}

/** Finds what stands for spaces: in Metaspace, or in steps that replace spaces on the way in or back on the way out. */
export function spaceMarks(document: Readonly<Record<string, unknown>>): readonly string[] {
  const marks: string[] = []
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 12) return
    if (Array.isArray(value)) return value.forEach((part) => visit(part, depth + 1))
    const step = value as Readonly<Record<string, unknown>>
    const pattern = (step['pattern'] as { readonly String?: unknown } | undefined)?.String
    const { content, replacement } = step
    if (step['type'] === 'Metaspace') marks.push(typeof replacement === 'string' ? replacement : '▁')
    if (step['type'] === 'Replace' && pattern === ' ' && isMark(content)) marks.push(content)
    if (step['type'] === 'Replace' && content === ' ' && isMark(pattern)) marks.push(pattern)
    for (const part of Object.values(step)) visit(part, depth + 1)
  }
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder']) visit(document[part], 0)
  return marks
}

/** Any other replacement of a space is about whitespace itself. */
const isMark = (text: unknown): text is string =>
  typeof text === 'string' && /^\P{ASCII}$/u.test(text) && text.trim() !== ''

const encoder = new TextEncoder()
/** The UTF-8 bytes of a text, one character each. */
const bytesOf = (text: string): string => String.fromCharCode(...encoder.encode(text))

/** What byte-level tokenizers write for each byte: itself where it is a letter or a mark, else a letter from U+0100 on (GPT-2). */
export function byteLevelBytes(): ReadonlyMap<string, string> {
  const bytes = new Map<string, string>()
  let next = 0x100
  for (let byte = 0; byte < 256; byte++) {
    const isShown = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
    bytes.set(String.fromCharCode(isShown ? byte : next++), String.fromCharCode(byte))
  }
  return bytes
}
