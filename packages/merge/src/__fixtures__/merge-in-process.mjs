// Carries out merges one after the other with the built packages, as a worker can't start from source, and prints what came
// of each. The process ends by itself only if every worker has ended.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { prepareMerge, runMerge } from '@mk/merge'
import { builtinMethods, defineMethod, z } from '@mk/methods'

const runtimes = {
  default: undefined,
  wasm: { name: 'wasm', module: import.meta.resolve('@mk/runtime-wasm'), factory: 'createWasmRuntime' },
  reference: {
    name: 'reference',
    module: import.meta.resolve('@mk/tensor/runtime'),
    factory: 'createReferenceRuntime',
  },
}
const broken = (factory) => ({ name: factory, module: new URL('broken-runtime.mjs', import.meta.url).href, factory })

const results = []
for (const { text, file, out, runtime = 'wasm', threads, cacheBytes, trouble, shardBytes, ownWorkers } of JSON.parse(
  process.argv[2],
)) {
  const methods = new Map([...builtinMethods, ['troubled', troubledMethod(trouble, out, dirname(file))]])
  try {
    const { plan } = await prepareMerge({ text, file, methods, ...(shardBytes && { shardBytes }) })
    const result = await runMerge(plan, {
      out,
      methods,
      ...(runtime !== 'default' && { runtime: runtimes[runtime] ?? broken(runtime) }),
      ...(ownWorkers && { createWorker: () => new Worker(new URL(import.meta.resolve('@mk/merge/worker'))) }),
      threads,
      elementsPerThread: 1,
      ...(cacheBytes !== undefined && { cacheBytes }),
    })
    results.push({
      ...result,
      files: Object.fromEntries(readdirSync(out).map((name) => [name, hashOf(join(out, name))])),
    })
  } catch (error) {
    const { name, message, code, issue } = error
    results.push({
      error: { name, message, code, issue },
      left: readdirSync(dirname(out)).filter((entry) => entry.includes('out')),
    })
  }
}
console.log(JSON.stringify({ results, maxRssBytes: process.resourceUsage().maxRSS * 1024 }))

/** Of a small file; a large one would show in the memory of this process. */
function hashOf(file) {
  return statSync(file).size > 2 ** 24 ? 'large' : createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** Does something to the disk when it is first called; copies its last model. */
function troubledMethod(trouble, out, inputs) {
  let isFirst = true
  return defineMethod({
    name: 'troubled',
    summary: '',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: { weight: z.number().default(1) }, methodWide: {} },
    merge({ models }) {
      if (isFirst) cause(trouble, `${out}.partial`, inputs)
      isFirst = false
      return models.at(-1)
    },
  })
}

function cause(trouble, partial, inputs) {
  const last = join(
    partial,
    readdirSync(partial)
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
      .at(-1),
  )
  switch (trouble) {
    case 'full disk':
      rmSync(last)
      return symlinkSync('/dev/full', last)
    case 'shrinking input':
      return truncateSync(join(inputs, 'b', 'model.safetensors'), 200_000)
  }
}
