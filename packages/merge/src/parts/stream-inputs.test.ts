import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

test('a head that a tied model stores is compared at the hub before the plan is made', async () => {
  const tied = { config: { tie_word_embeddings: true } }
  await serve({ a: tied, b: { tied: true } })
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: A}, {model: b}]\n'
  const here = await mergeIn(folder.path, text.replaceAll('A', 'a'), { runtime: wasmRuntime, out: path('whole') })
  const plan = await prepareAtHub(text, 'cache')
  expect(plan.tensors.map(({ name }) => name)).toEqual(here.plan.tensors.map(({ name }) => name))
  expect(await weightsIn('cache/hub')).toEqual([])
})
