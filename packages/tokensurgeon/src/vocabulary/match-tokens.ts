import type { TokenMeaning } from './token-text.ts'

/** Where the row of a token of DONOR comes from. */
export type TokenMatch =
  /** MODEL has the token. */
  | { readonly kind: 'exact' | 'byte' | 'prefix'; readonly model: number }
  /** Its row has to be approximated. */
  | { readonly kind: 'new' }

/** Finds tokens of MODEL. */
export interface TokenFinder {
  exact(token: TokenMeaning): number | undefined
  /** A byte that stands for itself, for a text of that byte, and the reverse. */
  byte(token: TokenMeaning): number | undefined
  /** The longest beginning, not cut within a character. */
  prefix(token: TokenMeaning): number | undefined
}

/** Makes a finder over the tokens of MODEL, or over those of them that count. */
export function createFinder(tokens: readonly TokenMeaning[]): TokenFinder {
  const byText = new Map<string, number>()
  const byByte = new Map<string, number>()
  const byName = new Map<string, number>()
  const byRole = new Map<string, number>()
  const put = (map: Map<string, number>, key: string, id: number) => {
    if (!map.has(key)) map.set(key, id)
  }
  for (const { id, text, kind } of tokens) if (kind !== 'special') put(kind === 'byte' ? byByte : byText, text, id)
  for (const { id, token, kind, roles } of tokens) {
    if (kind !== 'special') continue
    put(byName, token, id)
    for (const role of roles) put(byRole, role, id)
  }
  for (const { id, text, kind } of tokens) if (kind === 'special') put(byText, text, id)
  return {
    exact({ token, text, kind, roles }) {
      switch (kind) {
        case 'special': {
          const named = byName.get(token)
          if (named !== undefined) return named
          for (const role of roles) if (byRole.has(role)) return byRole.get(role)
          return byText.get(text)
        }
        case 'byte':
          return byByte.get(text)
        case 'text':
          return byText.get(text)
        default:
          return kind satisfies never
      }
    },
    byte({ text, kind }) {
      if (kind === 'special' || text.length !== 1) return undefined
      return kind === 'byte' ? byText.get(text) : byByte.get(text)
    },
    prefix({ text, kind }) {
      if (kind !== 'text') return undefined
      for (let length = text.length - 1; length > 0; length--) {
        if (isInner(text.charCodeAt(length))) continue
        const start = text.slice(0, length)
        // A word that begins has more in common with others than its space.
        if (/^\s*$/.test(start)) return undefined
        const found = byText.get(start)
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

/** Whether a byte goes on with a character of UTF-8. */
const isInner = (byte: number): boolean => byte >= 0x80 && byte < 0xc0

/** Which matches are looked for besides that of the token itself. */
export interface MatchKinds {
  readonly byte: boolean
  readonly prefix: boolean
}

/** Matches the tokens of DONOR, in their order. */
export const matchTokens = (
  tokens: readonly TokenMeaning[],
  finder: TokenFinder,
  kinds: MatchKinds,
): readonly TokenMatch[] =>
  tokens.map((token): TokenMatch => {
    const exact = finder.exact(token)
    if (exact !== undefined) return { kind: 'exact', model: exact }
    const byte = kinds.byte ? finder.byte(token) : undefined
    if (byte !== undefined) return { kind: 'byte', model: byte }
    const prefix = kinds.prefix ? finder.prefix(token) : undefined
    return prefix === undefined ? { kind: 'new' } : { kind: 'prefix', model: prefix }
  })
