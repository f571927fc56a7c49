import { TokenizerError } from '../errors.ts'
import { severityOf, type VocabularyNotice } from '../notices.ts'
import { planTokenizerFiles } from '../write/output-files.ts'
import { compareTokenizers } from './compare-tokenizers.ts'
import { type OutputVocabulary, planOutputVocabulary, type VocabularyModel } from './output-vocabulary.ts'
import { type ModelRows, planRows, type TokenDecision } from './plan-rows.ts'
import { planTokenIds, type TokenIdChange } from './plan-token-ids.ts'
import type { TokenizerSetting } from './tokenizer-setting.ts'
import { listVocabularyModels, loadedTokenizer, shareSentencePiece, type VocabularyInput } from './vocabulary-models.ts'

/** The output vocabulary: its rows as each model sees them, and the files that describe it. */
export interface VocabularyPlan {
  readonly kind: TokenizerSetting['kind']
  /** Rows of the output's embedding and head, with those that no token has. */
  readonly rowCount: number
  /** In the order of the inputs. */
  readonly models: readonly ModelRows[]
  /** Position of the model whose tokenizer files the output has. */
  readonly donor: number
  /** Of the donor's tokenizer files, those to copy as they are. */
  readonly copy: readonly string[]
  /** Those to write, by name; texts are made when they are first read. */
  readonly write: ReadonlyMap<string, string>
  /** What to change in the config files of the base (else first) model. */
  readonly tokenIds: readonly TokenIdChange[]
  /** In the order of ids. */
  readonly decisions: readonly TokenDecision[]
  readonly warnings: readonly VocabularyNotice[]
  readonly notes: readonly VocabularyNotice[]
}

/** The models of a merge, and what its recipe says of their vocabularies. */
export interface VocabularyRequest {
  /** In the order of the config; the base among them, also where it only donates its tokenizer. */
  readonly models: readonly VocabularyInput[]
  /** Position of `base_model`; absent: the first model gives the tokenizer, and no model fills gaps as the base. */
  readonly baseIndex?: number | undefined
  readonly setting: TokenizerSetting
}

/**
 * Plans the vocabulary of the output and, for each model, where each of its rows comes from. Nothing is read or written.
 *
 * @throws TokenizerError where a tokenizer is missing, or a token's row is to come from where there is none
 */
export function planVocabulary({ models: inputs, baseIndex, setting }: VocabularyRequest): VocabularyPlan {
  if (inputs.length === 0) throw new TokenizerError({ code: 'no-vocabulary-models' })
  const base = baseIndex ?? 0
  const donor = setting.source.kind === 'model' ? setting.source.model : base
  // Where the base has no tokenizer, the one that the setting names stands for it.
  const fallback = inputs[base]!.tokenizer.kind === 'missing' ? donor : base
  checkSetting(setting)
  const isShared = shareSentencePiece(inputs) && (setting.kind === 'average-rows' || setting.tokens.length === 0)
  const { models, assumed } = isShared
    ? { models: inputs.map(unread), assumed: [] }
    : listVocabularyModels(inputs, fallback)
  const output = isShared
    ? unreadVocabulary
    : planOutputVocabulary(models, donor, loadedTokenizer(inputs[donor]!), setting)
  const rowCount = padded(output.additions.length === 0 ? inputs[donor]!.embeddingRows : output.tokens.length, setting)
  const { rows, decisions } = planRows(models, output, rowCount, baseIndex, setting)
  const files = isShared
    ? { copy: inputs[donor]!.tokenizer.files, write: new Map<string, string>(), notices: [] }
    : planTokenizerFiles(inputs[donor]!, output)
  const zeros = decisions.filter(({ rule }) => rule.kind === 'zero').map(({ token }) => token)
  const blank = output.blank.map(({ token }) => token)
  const notices: VocabularyNotice[] = [
    ...compareTokenizers(inputs),
    ...(assumed.length > 0 ? [{ code: 'assumed-tokenizer', models: assumed, base: fallback } as const] : []),
    ...(zeros.length > 0 ? [{ code: 'zero-rows', tokens: zeros } as const] : []),
    ...(blank.length > 0 ? [{ code: 'blank-added-tokens', tokens: blank } as const] : []),
    ...inputs.flatMap(noteInput),
    ...files.notices,
  ]
  return {
    kind: setting.kind,
    rowCount,
    models: rows,
    donor,
    copy: files.copy,
    write: files.write,
    tokenIds: planTokenIds(
      { settings: inputs[base]!.tokenizer.tokenIds, tokens: models[base]!.tokens },
      { settings: inputs[donor]!.tokenizer.tokenIds, tokens: models[donor]!.tokens },
      idFinder(inputs[donor]!, output),
    ),
    decisions,
    warnings: notices.filter((notice) => severityOf(notice) === 'warning'),
    notes: notices.filter((notice) => severityOf(notice) === 'note'),
  }
}

const largestMultiple = 2 ** 20

function checkSetting(setting: TokenizerSetting): void {
  if (setting.kind === 'average-rows') return
  const { padToMultipleOf: multiple = 1, tokens } = setting
  if (!Number.isInteger(multiple) || multiple < 1 || multiple > largestMultiple)
    throw new TokenizerError({ code: 'bad-padding', multiple })
  const forced = tokens.find(({ force, source }) => force && source === undefined)
  if (forced) throw new TokenizerError({ code: 'force-without-source', token: forced.token })
}

const padded = (rows: number, setting: TokenizerSetting): number => {
  const multiple = setting.kind === 'complete-rows' ? (setting.padToMultipleOf ?? 1) : 1
  return Math.ceil(rows / multiple) * multiple
}

const unread = ({ label, embeddingRows }: VocabularyInput): VocabularyModel => ({
  label,
  embeddingRows,
  tokens: [],
  ids: new Map(),
  added: new Map(),
})
const unreadVocabulary: OutputVocabulary = { donor: 0, tokens: [], additions: [], promoted: [], blank: [] }

/** Finds the id of a token in the output: that of the donor, or of what was added. */
function idFinder(
  { tokenizer }: VocabularyInput,
  { tokens, additions }: OutputVocabulary,
): (token: string) => number | undefined {
  let added: Map<string, number> | undefined
  return (token) => {
    const id = 'ids' in tokenizer ? tokenizer.ids.get(token) : undefined
    if (id !== undefined && tokens[id] === token) return id
    added ??= new Map(additions.map((addition) => [addition.token, addition.id]))
    return added.get(token)
  }
}

function noteInput({ tokenizer, embeddingRows }: VocabularyInput, model: number): VocabularyNotice[] {
  if (!('ids' in tokenizer)) return []
  const tokens: string[] = []
  if (tokenizer.tokens.length > embeddingRows)
    for (const [token, id] of tokenizer.ids) if (id >= embeddingRows) tokens.push(token)
  return [
    ...(tokens.length > 0 ? [{ code: 'tokens-without-row', model, tokens } as const] : []),
    ...(tokenizer.notes.length > 0 ? [{ code: 'contradicting-files', model, details: tokenizer.notes } as const] : []),
  ]
}
