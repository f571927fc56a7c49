import { quoted } from '@mk/errors'
import { TokenizerError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isObject } from './json.ts'
import { JoinedMap } from './joined-map.ts'

/** Tokens and ids of one tokenizer, one to one. */
export class TokenIndex {
  readonly #start: StartIndex | undefined
  readonly #own = new Map<string, number>()
  #tokens: (string | undefined)[] = []
  readonly #file: string

  /** @param start what is there from the beginning, which stays as it is */
  constructor(file: string, start?: StartIndex) {
    this.#file = file
    this.#start = start
    if (start !== undefined) this.#tokens = start.tokens.slice()
  }

  /** As far as it is filled by now. */
  get ids(): ReadonlyMap<string, number> {
    if (this.#start === undefined) return this.#own
    return this.#own.size === 0 ? this.#start.ids : new JoinedMap(this.#start.ids, this.#own)
  }

  /** By id. */
  get tokens(): readonly (string | undefined)[] {
    return this.#tokens
  }

  get size(): number {
    return this.#own.size + (this.#start?.ids.size ?? 0)
  }

  has(token: string): boolean {
    return this.idOf(token) !== undefined
  }

  idOf(token: string): number | undefined {
    return this.#own.get(token) ?? this.#start?.ids.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id]
  }

  add(token: string, id: unknown, file = this.#file): number {
    const known = this.idOf(token)
    if (known !== undefined && known !== id)
      throw new TokenizerError({ code: 'duplicate-token', file, token, ids: [known, Number(id)] })
    return known ?? this.addNew(token, id, file)
  }

  /** For a token that is known not to be there. */
  addNew(token: string, id: unknown, file = this.#file): number {
    if (!isId(id))
      throw new TokenizerError({ code: 'bad-token-id', file, token, id: id === undefined ? 'missing' : quoted(id) })
    const other = this.#tokens[id]
    if (other !== undefined && other !== token)
      throw new TokenizerError({ code: 'duplicate-token-id', file, id, tokens: [other, token] })
    this.#own.set(token, id)
    this.#tokens[id] = token
    return id
  }
}

interface StartIndex {
  readonly ids: ReadonlyMap<string, number>
  readonly tokens: readonly (string | undefined)[]
}

const isId = (id: unknown): id is number =>
  Number.isInteger(id) && (id as number) >= 0 && (id as number) <= limits.tokenId

/** Adds the vocabulary of a model part to the index: `{ token: id }`, or for Unigram a list of [piece, score] in which the position is the id. */
export function parseVocabulary(vocab: unknown, isUnigram: boolean, index: TokenIndex, text: string): void {
  if (isUnigram) {
    const expected = 'a list of [piece, score]'
    if (!Array.isArray(vocab))
      throw new TokenizerError({ code: 'tokenizer-shape', file: 'tokenizer.json', path: 'model.vocab', expected })
    for (const [id, entry] of vocab.entries()) {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
        throw new TokenizerError({
          code: 'tokenizer-shape',
          file: 'tokenizer.json',
          path: `model.vocab[${id}]`,
          expected: 'a [piece, score]',
        })
      }
      index.add(entry[0], id)
    }
    return
  }
  if (!isObject(vocab))
    throw new TokenizerError({
      code: 'tokenizer-shape',
      file: 'tokenizer.json',
      path: 'model.vocab',
      expected: 'an object of token and id',
    })
  let highest = -1
  for (const token in vocab) {
    const id = index.addNew(token, vocab[token])
    if (id > highest) highest = id
  }
  if (highest >= index.size) refuseRepeatedKeys(text)
}

/** JSON.parse keeps the last of equal keys and leaves a hole where the first had its id. */
function refuseRepeatedKeys(text: string): void {
  const start = text.search(/"vocab"\s*:\s*\{/)
  if (start < 0) return
  const entry = /\s*("(?:[^"\\]|\\.)*")\s*:\s*(\d+)\s*([,}])/y
  entry.lastIndex = text.indexOf('{', start) + 1
  const seen = new Map<string, number>()
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    const token = JSON.parse(match[1]!) as string
    const id = Number(match[2])
    const before = seen.get(token)
    if (before !== undefined)
      throw new TokenizerError({ code: 'duplicate-token', file: 'tokenizer.json', token, ids: [before, id] })
    seen.set(token, id)
    if (match[3] === '}') return
  }
}
