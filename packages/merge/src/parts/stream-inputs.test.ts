import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { afterEach, expect, test } from 'vitest'
import { type HubServer, startHubServer } from '../../../checkpoint/src/hub/__fixtures__/hub-server.ts'
import { expectIssue, mergeIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { finishIn, makeParts, partRun } from '../__fixtures__/parts.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { bringSources } from './bring-sources.ts'
import { createPlanFile } from './plan-file.ts'
import { runStreamed } from './run-streamed.ts'

const folder = useFolder()
const path = (name: string) => join(folder.path, name)
let server: HubServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** Puts the model of folder `a` behind a hub, as org/a. */
async function serve(models: Readonly<Record<string, LlamaOptions>>): Promise<void> {
  await writeLlamas(folder.path, models)
  server = await startHubServer({
    id: 'org/a',
    commit: 'c'.repeat(40),
    files: {
      'config.json': await readFile(path('a/config.json')),
      'tokenizer_config.json': Buffer.from('{"model_max_length": 7}'),
      'model.safetensors': await readFile(path('a/model.safetensors')),
    },
  })
}

const chain =
  'name: inner\nmerge_method: ties\nbase_model: A\nmodels: [{model: b}]\nparameters: {weight: 1, density: 0.5}\n---\nmerge_method: linear\nparameters: {weight: 1}\nmodels: [{model: inner}, {model: A}]\n'
const hub = (cache: string) => ({
  environment: { HF_ENDPOINT: server!.url, HF_HOME: path(cache) },
  freeBytes: async () => Infinity,
})
const prepareAtHub = async (text: string, cache: string) => {
  const prepared = await prepareMerge({
    text: text.replaceAll('A', 'org/a'),
    file: path('recipe.yml'),
    name: 'x',
    hub: hub(cache),
  })
  return prepared.download({ readAtHub: (sources) => bringSources(sources, hub(cache)) })
}
/** What of the weights came, in bytes. */
const fetched = () => server!.requests.filter(({ path: asked }) => asked.includes('safetensors')).length
/** Of how many parts inputs are in a cache. */
const partsIn = async (cache: string) =>
  (await readdir(path(cache))).filter((name) => /^mk-stream-[^.]*$/.test(name)).length
/** Weights in a cache, and what was there for a while. */
const weightsIn = async (cache: string) =>
  (await readdir(path(cache), { recursive: true })).filter((name) => /safetensors|mk-stream/.test(name))

test('parts on machines without the inputs fetch the bytes that they need, and leave none', async () => {
  await serve({ a: {}, b: {} })
  await mergeIn(folder.path, chain.replaceAll('A', 'a'), {
    runtime: wasmRuntime,
    out: path('whole'),
    prepare: { name: 'x' },
  })
  const plan = await prepareAtHub(chain, 'one')
  const file = await createPlanFile(plan, { runtime: wasmRuntime })
  expect(file.files).toContainEqual(
    expect.objectContaining({ hub: { id: 'org/a', commit: 'c'.repeat(40), file: 'model.safetensors' } }),
  )
  await expectIssue(makeParts(file, path('out'), 3, { hub: hub('two') }), 'planned-input-gone', { isAtHub: true })
  await makeParts(file, path('out'), 3, { hub: hub('two'), streamInputs: true, order: [3, 1] })
  await makeParts(file, path('out'), 3, { hub: hub('three'), streamInputs: true, order: [2] })
  await finishIn(file, path('out'), { hub: hub('three'), streamInputs: true })
  const [out, whole] = [await bytesIn(path('out')), await bytesIn(path('whole'))]
  expect(out['model.safetensors']).toBe(whole['model.safetensors'])
  expect(Buffer.from(out['tokenizer_config.json']!, 'base64').toString()).toContain('7')
  for (const cache of ['one', 'two', 'three']) expect(await weightsIn(`${cache}/hub`)).toEqual([])
})

test('a merge on one machine streams its inputs, a few tensors at a time', async () => {
  await serve({ a: {}, b: {} })
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: A}, {model: b}]\n'
  const whole = await mergeIn(folder.path, text.replaceAll('A', 'a'), { runtime: wasmRuntime, out: path('whole') })
  const plan = await prepareAtHub(text, 'cache')
  await mkdir(path('cache/hub/mk-stream-dead'), { recursive: true })
  await writeFile(path('cache/hub/mk-stream-dead/0'), 'of a process that was killed')
  const before = fetched()
  const seen: number[] = []
  const result = await runStreamed(plan, {
    ...partRun,
    out: path('out'),
    hub: hub('cache'),
    streamBytes: 300,
    onProgress: ({ writtenBytes }) => seen.push(writtenBytes),
  })
  expect(result).toEqual({ ...whole.result, checksums: result.checksums })
  expect((await bytesIn(path('out')))['model.safetensors']).toBe((await bytesIn(path('whole')))['model.safetensors'])
  expect(fetched() - before).toBeGreaterThan(1)
  expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
  expect(await weightsIn('cache/hub')).toEqual([])
})

test('what the next part reads comes while one is merged, and no more of it than there may be', async () => {
  await serve({ a: { layers: 3 }, b: { layers: 3 } })
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: A}, {model: b}]\n'
  const plan = await prepareAtHub(text, 'cache')
  const linear = builtinMethods.get('linear')!
  const held: number[] = []
  let isFirst = true
  const waiting: typeof linear = {
    ...linear,
    async merge(...given) {
      // It hangs where the next part comes only when this one is done.
      while (isFirst && (await partsIn('cache/hub')) < 2) await new Promise((resolve) => setTimeout(resolve, 1))
      isFirst = false
      held.push(await partsIn('cache/hub'))
      return linear.merge(...given)
    },
  }
  await runStreamed(plan, {
    ...partRun,
    out: path('out'),
    hub: hub('cache'),
    streamBytes: 600,
    methods: new Map(builtinMethods).set('linear', waiting),
  })
  expect(held.length).toBeGreaterThanOrEqual(plan.tensors.length)
  expect(Math.max(...held)).toBe(2)
  expect(await weightsIn('cache/hub')).toEqual([])
})

test('a part that fails ends what comes for the next one, and leaves nothing of it', async () => {
  await serve({ a: { layers: 3 }, b: { layers: 3 } })
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: A}, {model: b}]\n'
  const plan = await prepareAtHub(text, 'cache')
  const linear = builtinMethods.get('linear')!
  const failing: typeof linear = { ...linear, merge: () => Promise.reject(new Error('no more')) }
  const methods = new Map(builtinMethods).set('linear', failing)
  const options = { ...partRun, out: path('out'), hub: hub('cache'), streamBytes: 300 }
  await expect(runStreamed(plan, { ...options, methods })).rejects.toThrow('no more')
  expect(await weightsIn('cache/hub')).toEqual([])
})

test('a head that a tied model stores is compared at the hub before the plan is made', async () => {
  const tied = { config: { tie_word_embeddings: true } }
  await serve({ a: tied, b: { tied: true } })
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: A}, {model: b}]\n'
  const here = await mergeIn(folder.path, text.replaceAll('A', 'a'), { runtime: wasmRuntime, out: path('whole') })
  const plan = await prepareAtHub(text, 'cache')
  expect(plan.tensors.map(({ name }) => name)).toEqual(here.plan.tensors.map(({ name }) => name))
  expect(await weightsIn('cache/hub')).toEqual([])
})
