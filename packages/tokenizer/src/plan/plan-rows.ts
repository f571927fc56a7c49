import type { GatherSegment } from '@mk/source'
import { type OutputVocabulary, rowOf, type VocabularyModel } from './output-vocabulary.ts'
import { fillRow, type RowRule, zeroRow } from './row-rules.ts'
import { createSegmentList } from './segments.ts'
import type { TokenizerSetting } from './tokenizer-setting.ts'

/** The rows of the output matrix as one model sees them. */
export interface ModelRows {
  /** In order over all rows of the output; `source` is the position of a model among the inputs. */
  readonly segments: readonly GatherSegment[]
}

/** A token that not every model has, or that the setting names. */
export interface TokenDecision {
  readonly token: string
  readonly id: number
  /** Positions of the models that have it. */
  readonly models: readonly number[]
  readonly rule: RowRule
}

/**
 * Plans the rows of tokens, then of ids without one (padding and holes): the model's own where its tokens are exactly those
 * of the output, else the mean of its real rows (`complete-rows`) or none (`average-rows`).
 */
export function planRows(
  models: readonly VocabularyModel[],
  { donor, tokens }: OutputVocabulary,
  rowCount: number,
  baseIndex: number | undefined,
  setting: TokenizerSetting,
): { rows: ModelRows[]; decisions: TokenDecision[] } {
  const lists = models.map(createSegmentList)
  const same = models.map((model) => hasExactly(model, tokens))
  const settings = new Map(setting.kind === 'complete-rows' ? setting.tokens.map((token) => [token.token, token]) : [])
  const decisions: TokenDecision[] = []
  const own = models.map(() => -1)
  const donorCount = models[donor]!.tokens.length
  const groupOf = createGroups()
  const rules = new Map<readonly number[], RowRule>()
  for (let id = 0; id < rowCount; id++) {
    const token = tokens[id]
    if (token === undefined) {
      for (const [m, list] of lists.entries()) {
        if (same[m]! && id < models[m]!.embeddingRows) list.pushCopy(m, id)
        else list.push(setting.kind === 'average-rows' ? zeroRow : { kind: 'mean-of-others', rowCount: 1 })
      }
      continue
    }
    let missing = 0
    for (let m = 0; m < models.length; m++) {
      // Where a model has a token beside the one before, it has most.
      own[m] = m === donor && id >= donorCount ? -1 : (rowOf(models[m]!, token, own[m]! + 1) ?? -1)
      if (own[m]! < 0) missing++
    }
    const tokenSetting = settings.size === 0 ? undefined : settings.get(token)
    if (missing === 0 && tokenSetting?.source === undefined) {
      for (let m = 0; m < models.length; m++) lists[m]!.pushCopy(m, own[m]!)
      continue
    }
    const having = groupOf(own)
    const { rule, row } =
      setting.kind === 'average-rows'
        ? shareRow(having)
        : fillRow({ rows: own, having }, baseIndex, tokenSetting, models)
    // Of a hundred thousand decisions nearly all have one of a few rules.
    if (tokenSetting?.source === undefined && !rules.has(having)) rules.set(having, rule)
    decisions.push({
      token,
      id,
      models: having,
      rule: tokenSetting?.source === undefined ? rules.get(having)! : rule,
    })
    for (let m = 0; m < models.length; m++) {
      if (own[m]! >= 0 && tokenSetting?.force !== true) lists[m]!.pushCopy(m, own[m]!)
      else lists[m]!.push(row)
    }
  }
  return { rows: lists.map(({ segments }) => ({ segments })), decisions }
}

/** Lists the models that have a row, in one list for all rows of the same models. */
function createGroups(): (rows: readonly number[]) => readonly number[] {
  const groups = new Map<string, readonly number[]>()
  let last: readonly number[] | undefined
  // Most rows are of the same models as the one before.
  const isOf = (group: readonly number[], rows: readonly number[]): boolean => {
    let next = 0
    for (let model = 0; model < rows.length; model++)
      if (rows[model]! >= 0 ? group[next++] !== model : group[next] === model) return false
    return true
  }
  return (rows) => {
    if (last !== undefined && isOf(last, rows)) return last
    const group = rows.flatMap((row, model) => (row >= 0 ? [model] : []))
    const key = group.join(' ')
    last = groups.get(key) ?? group
    groups.set(key, last)
    return last
  }
}

const shareRow = (having: readonly number[]): { rule: RowRule; row: typeof zeroRow } => ({
  rule:
    having.length === 0
      ? { kind: 'zero' }
      : having.length === 1
        ? { kind: 'only', model: having[0]! }
        : { kind: 'shared', models: having },
  row: zeroRow,
})

function hasExactly(model: VocabularyModel, tokens: readonly (string | undefined)[]): boolean {
  return (
    model.tokens === tokens ||
    (model.tokens.length === tokens.length && tokens.every((token, id) => model.tokens[id] === token))
  )
}
