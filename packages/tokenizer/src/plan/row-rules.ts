import { nearest } from '@mk/errors'
import type { GatherSegment } from '@mk/source'
import { TokenizerError } from '../errors.ts'
import { rowOf, type VocabularyModel } from './output-vocabulary.ts'
import type { TokenSetting, TokenSource } from './tokenizer-setting.ts'

/** Why a model that lacks a token gets the row that it gets. */
export type RowRule =
  /** The setting says so; `forced` also where a model has a row of its own. */
  | { readonly kind: 'configured'; readonly source: TokenSource; readonly forced: boolean }
  | { readonly kind: 'only'; readonly model: number }
  | { readonly kind: 'base'; readonly model: number }
  | { readonly kind: 'mean'; readonly models: readonly number[] }
  | { readonly kind: 'zero' }
  /** With `tokenizer_source`: nothing is filled in, the models that have the token share it by weight. */
  | { readonly kind: 'shared'; readonly models: readonly number[] }

/** A row of the output matrix of one model, as a segment of length 1. */
export type FilledRow = Exclude<GatherSegment, { kind: 'mean-of-others' }>

export const zeroRow: FilledRow = { kind: 'zero', rowCount: 1 }
const copyOf = (source: number, row: number): FilledRow => ({ kind: 'copy', rowCount: 1, source, row })

/**
 * Finds what fills the row of a token where a model has none: the configured source; else the only model that has it; else the
 * base; else the mean over the models that have it; else zeros.
 *
 * @param rows for each model its row of the token, or −1
 * @param having the models that have one
 */
export function fillRow(
  { rows, having }: { readonly rows: readonly number[]; readonly having: readonly number[] },
  baseIndex: number | undefined,
  setting: TokenSetting | undefined,
  models: readonly VocabularyModel[],
): { rule: RowRule; row: FilledRow } {
  if (setting?.source !== undefined) {
    return {
      rule: { kind: 'configured', source: setting.source, forced: setting.force },
      row: configuredRow(setting.token, setting.source, models),
    }
  }
  const [first] = having
  if (first === undefined) return { rule: { kind: 'zero' }, row: zeroRow }
  if (having.length === 1) return { rule: { kind: 'only', model: first }, row: copyOf(first, rows[first]!) }
  const base = baseIndex === undefined ? -1 : rows[baseIndex]!
  if (base >= 0) return { rule: { kind: 'base', model: baseIndex! }, row: copyOf(baseIndex!, base) }
  return {
    rule: { kind: 'mean', models: having },
    row: { kind: 'mean', rowCount: 1, of: having.map((source) => ({ source, row: rows[source]! })) },
  }
}

function configuredRow(token: string, source: TokenSource, models: readonly VocabularyModel[]): FilledRow {
  if (source.kind === 'zero') return zeroRow
  const model = models[source.model]!
  if (source.kind === 'model_token' && 'tokenId' in source) {
    const { tokenId: id } = source
    if (!Number.isInteger(id) || id < 0 || id >= model.embeddingRows)
      throw new TokenizerError({
        code: 'token-id-out-of-range',
        token,
        id,
        model: model.label,
        embeddingRows: model.embeddingRows,
      })
    return copyOf(source.model, id)
  }
  const wanted = source.kind === 'model' ? token : source.token
  const row = rowOf(model, wanted)
  if (row === undefined)
    throw new TokenizerError({
      code: 'token-not-in-source',
      token,
      source: wanted,
      model: model.label,
      nearest: nearest(wanted, model.added.keys()),
    })
  return copyOf(source.model, row)
}
