/** What is wrong with a tokenizer, a setting or a chat template: one variant per rule. */
export type TokenizerIssue =
  | { readonly code: 'not-json'; readonly file: string; readonly reason: string }
  | { readonly code: 'wrong-shape'; readonly file: string; readonly path: string; readonly expected: string }
  | { readonly code: 'unknown-model-type'; readonly file: string; readonly type: string }
  | { readonly code: 'bad-id'; readonly file: string; readonly token: string; readonly id: string }
  | { readonly code: 'duplicate-token'; readonly file: string; readonly token: string; readonly ids: readonly number[] }
  | { readonly code: 'duplicate-id'; readonly file: string; readonly id: number; readonly tokens: readonly string[] }
  | { readonly code: 'malformed-merge'; readonly file: string; readonly index: number; readonly merge: string }
  | { readonly code: 'merge-cycle'; readonly file: string; readonly index: number; readonly merge: string }
  | {
      readonly code: 'merge-out-of-vocabulary'
      readonly file: string
      readonly index: number
      readonly merge: string
      readonly missing: string
    }
  | { readonly code: 'missing-tokenizer'; readonly model: string; readonly found: readonly string[] }
  | { readonly code: 'sentencepiece-only'; readonly model: string; readonly file: string }
  | { readonly code: 'empty-vocabulary'; readonly model: string; readonly embeddingRows: number }
  | { readonly code: 'no-models' }
  | { readonly code: 'unknown-model'; readonly model: string; readonly known: readonly string[] }
  | {
      readonly code: 'token-not-in-source'
      readonly token: string
      readonly source: string
      readonly model: string
      readonly nearest: string | undefined
    }
  | {
      readonly code: 'id-out-of-range'
      readonly token: string
      readonly id: number
      readonly model: string
      readonly embeddingRows: number
    }
  | { readonly code: 'force-without-source'; readonly token: string }
  | { readonly code: 'bad-padding'; readonly multiple: number }
  | {
      readonly code: 'unknown-chat-template'
      readonly name: string
      readonly known: readonly string[]
      readonly nearest: string | undefined
    }

/** Every failure of this package but those of the operating system. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError'
  readonly issue: TokenizerIssue

  constructor(issue: TokenizerIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): TokenizerIssue['code'] {
    return this.issue.code
  }
}

const quote = (token: string): string => JSON.stringify(token.length > 80 ? `${token.slice(0, 80)}…` : token)
const orElse = (nearest: string | undefined): string =>
  nearest === undefined ? '' : `; did you mean ${quote(nearest)}?`

function describe(issue: TokenizerIssue): string {
  switch (issue.code) {
    case 'not-json':
      return `${issue.file}: not valid JSON: ${issue.reason}`
    case 'wrong-shape':
      return `${issue.file}: ${issue.path} must be ${issue.expected}`
    case 'unknown-model-type':
      return `${issue.file}: has a model of type ${quote(issue.type)}; known are BPE, Unigram, WordPiece and WordLevel`
    case 'bad-id':
      return `${issue.file}: the token ${quote(issue.token)} has the id ${issue.id}; expected an integer from 0 to 16777215`
    case 'duplicate-token':
      return `${issue.file}: the token ${quote(issue.token)} occurs more than once, with the ids ${issue.ids.join(' and ')}; a token has one id`
    case 'duplicate-id':
      return `${issue.file}: the id ${issue.id} belongs to ${issue.tokens.map(quote).join(' and ')}; an id has one token`
    case 'malformed-merge':
      return `${issue.file}: merge ${issue.index} is ${issue.merge}; expected two tokens, as a list or as a string with one space between them`
    case 'merge-cycle':
      return `${issue.file}: merge ${issue.index}, ${issue.merge}, produces one of its own parts, so that it would never end`
    case 'merge-out-of-vocabulary':
      return `${issue.file}: merge ${issue.index}, ${issue.merge}, needs the token ${quote(issue.missing)}, which the vocabulary lacks`
    case 'missing-tokenizer':
      return `${issue.model}: has no tokenizer.json${issue.found.length > 0 ? ` (only ${issue.found.join(', ')})` : ''}, so its tokens are not known; save it with AutoTokenizer.from_pretrained(…).save_pretrained(…), or leave out the tokenizer setting`
    case 'sentencepiece-only':
      return `${issue.model}: has ${issue.file} but no tokenizer.json, which a new vocabulary is built from; convert it with AutoTokenizer.from_pretrained(…).save_pretrained(…), or leave out the tokenizer setting`
    case 'empty-vocabulary':
      return `${issue.model}: none of its tokens has one of its ${issue.embeddingRows} embedding rows`
    case 'no-models':
      return 'a vocabulary needs at least one model'
    case 'unknown-model':
      return `the tokenizer setting names ${issue.model}, which is not part of the merge; its models are ${issue.known.join(', ')}`
    case 'token-not-in-source':
      return `the row of ${quote(issue.token)} is to come from ${quote(issue.source)} of ${issue.model}, which has no such token${orElse(issue.nearest)}`
    case 'id-out-of-range':
      return `the row of ${quote(issue.token)} is to come from row ${issue.id} of ${issue.model}, which has ${issue.embeddingRows}`
    case 'force-without-source':
      return `the token ${quote(issue.token)} has 'force' but no source to take its row from`
    case 'bad-padding':
      return `pad_to_multiple_of is ${issue.multiple}; expected an integer from 1 to 1048576`
    case 'unknown-chat-template':
      return `chat_template ${quote(issue.name)} is neither the name of a known template (${issue.known.join(', ')}, auto) nor a Jinja template${orElse(issue.nearest)}`
    default:
      return issue satisfies never
  }
}
