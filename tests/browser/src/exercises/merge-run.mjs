import { prepareMergeAt } from '@mk/merge/plan'
import { createExecutor, createInlinePool, openRuntime, runTensors, trackProgress, wasmRuntime } from '@mk/merge/run'
import { createReaderOver } from '@mk/source'
import { createFileMap } from '@mk/source/web'
import { tinyModel } from '../tiny-model.mjs'

const store = createFileMap(new Map([...tinyModel('a', 1), ...tinyModel('b', 2)]))
const text = 'merge_method: ties\nbase_model: a\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: b}]'
const { plan, methods } = await prepareMergeAt({ store, current: '/' }, { text })
const bytes = new Uint8Array(plan.files[0].fileBytes)
const pool = createInlinePool(
  createExecutor({
    runtime: await openRuntime(wasmRuntime),
    createReader: (options) => createReaderOver(store.openFiles(), options),
    writer: { write: (_, position, part) => bytes.set(part, position), close() {} },
    cacheBytes: 2 ** 20,
  }),
)
const output = { files: ['x'], finished: new Set(), nonFinite: () => [], finish: async () => {} }
await runTensors(plan, { methods }, { pool, output, progress: trackProgress(plan, output.finished) })
await pool.close()
console.log(bytes)
