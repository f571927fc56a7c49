import { expect, it } from 'vitest'
import { explainNotice, type VocabularyNotice } from './index.ts'

const labels = ['base', 'chat', 'code']

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
