import { expect, it } from 'vitest'
import { explainDecision, explainDecisions, type RowRule } from '../index.ts'

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

it('explains many as each alone', () => {
  const [only, base]: RowRule[] = [
    { kind: 'only', model: 1 },
    { kind: 'base', model: 0 },
  ]
  const [one, two] = [[1], [0, 2]]
  const decisions = [only!, only!, base!, base!, only!].map((rule, id) => ({
    token: `<${id}>`,
    id,
    models: id < 2 || id === 3 ? one! : two!,
    rule,
  }))
  expect(explainDecisions(decisions, labels)).toEqual(decisions.map((decision) => explainDecision(decision, labels)))
})
