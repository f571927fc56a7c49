import { expect, it } from 'vitest'
import { formatTokens } from './format-tokens.ts'

it('is a table of tokens and what was decided for them', () => {
  expect(
    formatTokens([
      { token: '<|im_start|>', id: 64, models: ['models/chat'], rule: 'only', why: 'only models/chat has it' },
      {
        token: '\n\u200b',
        id: 1065,
        models: [],
        rule: 'zero',
        why: 'no model has it and the config names no source: zeros',
      },
    ]),
  ).toBe(
    [
      '  id  token           rule  in           why',
      '  64  "<|im_start|>"  only  models/chat  only models/chat has it',
      '1065  "\\n\\u200b"      zero  –            no model has it and the config names no source: zeros',
      '',
      '2 tokens needed a decision; nothing was written',
      '',
    ].join('\n'),
  )
})

it('cuts long tokens short', () => {
  const [, row] = formatTokens([
    { token: 'x'.repeat(500), id: 1, models: ['a'], rule: 'only', why: 'only a has it' },
  ]).split('\n')
  expect(row).toBe(` 1  "${'x'.repeat(30)}…  only  a   only a has it`)
})

it('says so where no token needed a decision', () => {
  expect(formatTokens([])).toMatch(/^no token needed a decision/)
})

it('takes vocabularies of any size', () => {
  const tokens = Array.from({ length: 200_000 }, (_, id) => ({
    token: 't',
    id,
    models: ['a'],
    rule: 'only' as const,
    why: 'only a has it',
  }))
  expect(formatTokens(tokens)).toContain('200000 tokens')
})
