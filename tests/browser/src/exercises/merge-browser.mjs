// Web workers, sinks and the hub are the example page's to show.
import { createFileMap, createMemorySink, prepareMergeAt } from '@mk/merge/browser'
import { tinyModel } from '../tiny-model.mjs'

const files = new Map(tinyModel('a', 1))
const text = 'merge_method: passthrough\nmodels: [{model: a}]'
const { plan } = await prepareMergeAt({ store: createFileMap(files), current: '/' }, { text })
const sink = createMemorySink()
for (const { name, text } of plan.documents) {
  const bytes = new TextEncoder().encode(text)
  const file = await sink.open(name, bytes.length)
  await file.write(0, bytes)
  await file.close()
}
console.log([...sink.files])
