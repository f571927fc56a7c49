import { describe, expect, it } from 'vitest'
import { bpe, ofBase, union, written } from '../__fixtures__/inputs.ts'
import { outputTokens, ownRows } from '../__fixtures__/output-tokens.ts'
import { planVocabulary, type TokenizerSetting, type VocabularyPlan } from '../index.ts'

const averagedUnion: TokenizerSetting = { kind: 'average-rows', source: { kind: 'union' } }

describe('the rows of `tokenizer`', () => {
  const models = [bpe(['a', 'b', 'c']), bpe(['a', 'b', 'd', 'e']), bpe(['e', 'd', 'f', 'a'])]
  const ruleOf = (plan: VocabularyPlan, token: string) =>
    plan.decisions.find((decision) => decision.token === token)?.rule

  it('are a model’s own; else the only one; else the base’s', () => {
    const plan = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(outputTokens(plan)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(plan.models[2]!.segments).toEqual([
      { kind: 'copy', rowCount: 1, source: 2, row: 3 },
      { kind: 'copy', rowCount: 2, source: 0, row: 1 },
      { kind: 'copy', rowCount: 1, source: 2, row: 1 },
      { kind: 'copy', rowCount: 1, source: 2, row: 0 },
      { kind: 'copy', rowCount: 1, source: 2, row: 2 },
    ])
    expect(ruleOf(plan, 'b')).toEqual({ kind: 'base', model: 0 })
    expect(ruleOf(plan, 'c')).toEqual({ kind: 'only', model: 0 })
    expect(ruleOf(plan, 'a')).toBeUndefined()
  })

  it('are the base’s also where that is its first row, or its last', () => {
    const having = [bpe(['a', 'b']), bpe(['b', 'a']), bpe(['c'])]
    const sourceOf = (baseIndex: number, token: 'a' | 'b') => {
      const plan = planVocabulary({ models: having, baseIndex, setting: union })
      expect(ruleOf(plan, token)).toEqual({ kind: 'base', model: baseIndex })
      return rowOf(plan.models[2]!.segments, outputTokens(plan).indexOf(token))
    }
    expect([sourceOf(0, 'a'), sourceOf(0, 'b')]).toEqual(['0:0', '0:1'])
    expect([sourceOf(1, 'a'), sourceOf(1, 'b')]).toEqual(['1:1', '1:0'])
  })

  it('are the only model’s also where that is its first row', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['b'])], baseIndex: 0, setting: union })
    expect(plan.models.map(({ segments }) => [rowOf(segments, 0), rowOf(segments, 1)])).toEqual([
      ['0:0', '1:0'],
      ['0:0', '1:0'],
    ])
  })

  it('are else the mean over the models that have it, as always where no base is named', () => {
    const plan = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(plan.models[0]!.segments.filter(({ kind }) => kind === 'mean')).toEqual([
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 2 },
          { source: 2, row: 1 },
        ],
      },
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 3 },
          { source: 2, row: 0 },
        ],
      },
    ])
    expect(ruleOf(planVocabulary({ models, setting: union }), 'b')).toEqual({ kind: 'mean', models: [0, 1] })
  })

  it('are else zeros, with a warning', () => {
    const plan = planVocabulary({ models, setting: { ...ofBase, tokens: [{ token: '<new>', force: false }] } })
    expect(outputTokens(plan)).toEqual(['a', 'b', 'c', '<new>'])
    expect(plan.models.map(({ segments }) => segments.at(-1))).toEqual(
      models.map(() => ({ kind: 'zero', rowCount: 1 })),
    )
    expect(plan.warnings).toEqual([{ code: 'zero-rows', tokens: ['<new>'] }])
    expect(written(plan).added.get('<new>')).toMatchObject({ id: 3, special: false, normalized: true })
  })

  it('come from the configured source, by force also where a model has one', () => {
    const setting = (force: boolean): TokenizerSetting => ({
      ...union,
      tokens: [{ token: 'b', source: { kind: 'model_token', model: 2, token: 'f' }, force }],
    })
    const rowsOfB = (force: boolean) =>
      planVocabulary({ models, baseIndex: 0, setting: setting(force) }).models.map(({ segments }) => rowOf(segments, 1))
    expect(rowsOfB(false)).toEqual(['0:1', '1:1', '2:2'])
    expect(rowsOfB(true)).toEqual(['2:2', '2:2', '2:2'])
  })

  it('come from a model, a row by number, or are zero', () => {
    const rowOfC = (
      source: NonNullable<Extract<TokenizerSetting, { kind: 'complete-rows' }>['tokens'][number]['source']>,
    ) =>
      rowOf(
        planVocabulary({ models, setting: { ...union, tokens: [{ token: 'c', source, force: true }] } }).models[1]!
          .segments,
        2,
      )
    expect(rowOfC({ kind: 'model', model: 0 })).toBe('0:2')
    expect(rowOfC({ kind: 'model_token', model: 1, tokenId: 3 })).toBe('1:3')
    expect(rowOfC({ kind: 'zero' })).toBe('zero')
  })

  it('may come from a row that no token has', () => {
    const padded = bpe(['a'], [], 8)
    const plan = planVocabulary({
      models: [padded],
      setting: {
        ...ofBase,
        tokens: [{ token: 'a', source: { kind: 'model_token', model: 0, tokenId: 7 }, force: true }],
      },
    })
    expect(rowOf(plan.models[0]!.segments, 0)).toBe('0:7')
  })

  it('are padded with the mean of the real rows', () => {
    const plan = planVocabulary({ models, setting: { ...union, padToMultipleOf: 8 } })
    expect(plan.rowCount).toBe(8)
    for (const { segments } of plan.models) expect(segments.at(-1)).toEqual({ kind: 'mean-of-others', rowCount: 2 })
  })

  it('join into runs', () => {
    const plan = planVocabulary({ models: [models[0]!, models[0]!], setting: union })
    expect(plan.models[1]!.segments).toEqual([{ kind: 'copy', rowCount: 3, source: 1, row: 0 }])
    expect(plan.decisions).toEqual([])
  })
})

describe('rows beyond the tokenizer', () => {
  const tokens = ['a', 'b']
  it('stay where the vocabulary does not change', () => {
    const plan = planVocabulary({ models: [bpe(tokens, [], 6), bpe(tokens, [], 5)], setting: union })
    expect(plan.rowCount).toBe(6)
    expect(plan.models.map(({ segments }) => segments)).toEqual([
      [{ kind: 'copy', rowCount: 6, source: 0, row: 0 }],
      [
        { kind: 'copy', rowCount: 5, source: 1, row: 0 },
        { kind: 'mean-of-others', rowCount: 1 },
      ],
    ])
    expect([...plan.write]).toEqual([])
  })

  it('are the mean for a model with other tokens, and stay the base’s with `tokenizer_source`', () => {
    const models = [bpe(tokens, [], 4), bpe(['b', 'a'], [], 4)]
    expect(planVocabulary({ models, setting: ofBase }).models[1]!.segments.at(-1)).toEqual({
      kind: 'mean-of-others',
      rowCount: 2,
    })
    const averaged = planVocabulary({ models, setting: { kind: 'average-rows', source: { kind: 'base' } } })
    expect(averaged.models.map((_, index) => ownRows(averaged, index))).toEqual([
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ])
  })

  it('make room for new tokens where it changes', () => {
    const plan = planVocabulary({ models: [bpe(tokens, [], 6), bpe(tokens, ['<x>'], 6)], setting: union })
    expect(outputTokens(plan)).toEqual(['a', 'b', '<x>'])
    expect(plan.rowCount).toBe(3)
  })

  it('count as rows to pad', () => {
    expect(planVocabulary({ models: [bpe(tokens, [], 6)], setting: { ...ofBase, padToMultipleOf: 4 } }).rowCount).toBe(
      8,
    )
  })
})

describe('the rows of `tokenizer_source`', () => {
  it('are a model’s own or absent', () => {
    const plan = planVocabulary({ models: [bpe(['a', 'b']), bpe(['b', 'c']), bpe(['b'])], setting: averagedUnion })
    expect(outputTokens(plan)).toEqual(['a', 'b', 'c'])
    expect(plan.models.map((_, index) => ownRows(plan, index))).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      [0, 1, 0],
    ])
    expect(plan.models[1]!.segments).toEqual([
      { kind: 'zero', rowCount: 1 },
      { kind: 'copy', rowCount: 2, source: 1, row: 0 },
    ])
    expect(plan.decisions.map(({ token, rule }) => [token, rule.kind])).toEqual([
      ['a', 'only'],
      ['c', 'only'],
    ])
  })

  it('are shared by the models that have the token', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['b']), bpe(['b'])], setting: averagedUnion })
    expect(plan.decisions[1]!.rule).toEqual({ kind: 'shared', models: [1, 2] })
  })
})

/** The source and row that row `id` is copied from. */
function rowOf(segments: VocabularyPlan['models'][number]['segments'], id: number): string | undefined {
  let start = 0
  for (const segment of segments) {
    if (id < start + segment.rowCount)
      return segment.kind === 'copy' ? `${segment.source}:${segment.row + id - start}` : segment.kind
    start += segment.rowCount
  }
  return undefined
}
