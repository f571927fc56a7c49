import { prepareMergeAt } from '@mk/merge/plan'
import { createFileMap } from '@mk/source/web'
import { tinyModel } from '../tiny-model.mjs'

const store = createFileMap(new Map([...tinyModel('a', 1), ...tinyModel('b', 2)]))
const text = 'merge_method: slerp\nbase_model: a\nparameters: {t: [0, 1]}\nmodels: [{model: a}, {model: b}]'
const { plan, warnings } = await prepareMergeAt({ store, current: '/' }, { text })
console.log(JSON.stringify(plan), warnings)
await prepareMergeAt({ store, current: '/' }, { text: text.replace('slerp', 'slurp'), file: 'recipe.yml' }).catch(
  ({ code, message }) => console.log(code, message),
)
