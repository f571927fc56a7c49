import { expect, it } from 'vitest'
import { explainDecision, explainNotice, type RowRule, type VocabularyNotice } from '../index.ts'

const labels = ['base', 'chat', 'code']

it.each<[RowRule, string, string]>([
  [{ kind: 'only', model: 1 }, 'only', 'only chat has it'],
  [{ kind: 'base', model: 0 }, 'base', 'the base, base, has it; the models that lack it get its row'],
  [{ kind: 'mean', models: [1, 2] }, 'mean', 'the base lacks it; the models that lack it get the mean of chat, code'],
  [{ kind: 'shared', models: [0, 1] }, 'shared', 'merged over base, chat, their weights made to sum to 1'],
  [{ kind: 'zero' }, 'zero', 'no model has it and the config names no source: zeros'],
  [{ kind: 'configured', source: { kind: 'zero' }, forced: true }, 'forced', 'the config gives every model zeros'],
  [
    { kind: 'configured', source: { kind: 'model', model: 2 }, forced: false },
    'configured',
    'the config gives the models that lack it the row of code',
  ],
  [
    { kind: 'configured', source: { kind: 'model_token', model: 0, token: '<s>' }, forced: true },
    'forced',
    'the config gives every model the row of "<s>" in base',
  ],
  [
    { kind: 'configured', source: { kind: 'model_token', model: 0, tokenId: 7 }, forced: true },
    'forced',
    'the config gives every model row 7 of base',
  ],
])('explains %j', (rule, name, why) => {
  expect(explainDecision({ token: '<x>', id: 9, models: [1], rule }, labels)).toEqual({
    token: '<x>',
    id: 9,
    models: ['chat'],
    rule: name,
    why,
  })
})

it.each<[VocabularyNotice, string]>([
  [
    { code: 'special-flags-differ', tokens: [{ token: '<x>', models: [0, 2], flags: ['lstrip'] }] },
    '"<x>" (lstrip: base, code)',
  ],
  [
    { code: 'special-tokens-differ', role: 'eos', tokens: ['</s>', undefined, '<end>'] },
    'eos tokens differ: </s> in base, <end> in code',
  ],
  [{ code: 'chat-templates-differ', groups: [[0, 2], [1]] }, 'base = code, chat'],
  [{ code: 'kinds-differ', kinds: ['bpe', undefined, 'unigram'] }, 'base is bpe, code is unigram'],
  [{ code: 'zero-rows', tokens: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }, '"a", "b", "c", "d", "e" and 2 more: zeros'],
  [{ code: 'assumed-tokenizer', models: [1, 2], base: 0 }, 'chat, code has no tokenizer; taken to be that of base'],
  [{ code: 'blank-added-tokens', tokens: ['\t\t'] }, '"\\t\\t"'],
  [{ code: 'tokens-without-row', model: 1, tokens: ['<x>'] }, 'chat has no embedding row for "<x>"'],
  [{ code: 'hidden-tokens', tokens: ['字'] }, '"字"'],
  [{ code: 'left-out-files', files: ['merges.txt'] }, 'merges.txt'],
  [{ code: 'contradicting-files', model: 2, details: ['this and that'] }, 'code: this and that'],
])('says %j in words', (notice, words) => {
  expect(explainNotice(notice, labels)).toContain(words)
})
