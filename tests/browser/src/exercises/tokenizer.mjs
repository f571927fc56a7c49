import { explainDecision, parseTokenizer, planVocabulary } from '@mk/tokenizer'

const tokenizer = (...tokens) =>
  parseTokenizer(
    new Map([
      [
        'tokenizer.json',
        JSON.stringify({
          model: {
            type: 'WordLevel',
            vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
            unk_token: 'u',
          },
          added_tokens: [],
        }),
      ],
    ]),
  )
const models = [
  { label: 'a', tokenizer: tokenizer('u', 'x'), embeddingRows: 2 },
  { label: 'b', tokenizer: tokenizer('u', 'x', 'y'), embeddingRows: 3 },
]
const setting = { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] }
const plan = planVocabulary({ models, baseIndex: 0, setting })
console.log(plan.rowCount, [...plan.write], plan.models)
for (const decision of plan.decisions) console.log(explainDecision(decision, ['a', 'b']))
