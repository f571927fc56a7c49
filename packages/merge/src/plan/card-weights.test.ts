import { expect, test } from 'vitest'
import { fillWeights, weightsMark } from './card-weights.ts'

const weights = [
  {
    rule: 'metagpt',
    models: [
      { model: 'a', weight: 0.25 },
      { model: 'b`c', weight: 0.75 },
    ],
    tensorCount: 1,
  },
  { rule: 'inverse_norm', stage: 'inner', models: [{ model: 'd', weight: 1 }], tensorCount: 2 },
]
const lines =
  "- weights by `metagpt` over 1 tensor: `a` 0.25, `b'c` 0.75\n- weights by `inverse_norm` over 2 tensors of `inner`: `d` 1"
const filled = (text: string) =>
  fillWeights(
    [
      { name: 'README.md', text },
      { name: 'config.json', text: weightsMark },
    ],
    weights,
  )

test('weights take the place that the card has for them, and nothing else is changed', () => {
  expect(filled(`# $&\n\n${weightsMark}\n`)).toEqual([
    { name: 'README.md', text: `# $&\n\n${lines}\n` },
    { name: 'config.json', text: weightsMark },
  ])
})

test('a card without a place for them gets one', () => {
  expect(filled('# x\n')[0]!.text).toBe(`# x\n\n## Weights\n\n${lines}\n`)
})
