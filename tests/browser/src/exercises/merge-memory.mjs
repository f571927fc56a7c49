import { mergeTensors } from '@mk/merge/memory'

const tensor = (...values) => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})
const model = (...values) => ({ tensors: new Map([['w', tensor(...values)]]) })
const recipe = { merge_method: 'linear', parameters: { weight: 1 }, models: [{ model: 'a' }, { model: 'b' }] }
const { tensors, files, notes } = await mergeTensors(recipe, { models: { a: model(1, 2), b: model(3, 6) } })
console.log(tensors, files, notes)
