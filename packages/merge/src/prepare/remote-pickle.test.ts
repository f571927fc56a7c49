import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HubServer, startHubServer } from '../../../checkpoint/src/hub/__fixtures__/hub-server.ts'
import { stateDict } from '../../../checkpoint/src/pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../../../checkpoint/src/pickle/__fixtures__/zip-bytes.ts'
import { referenceRuntime } from '../__fixtures__/merge.ts'
import { loadFolder, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { runMerge } from '../node/run-merge.ts'

const folder = useFolder()
let server: HubServer
const recipe = (model: string) =>
  `merge_method: linear\ndtype: float32\nparameters: {weight: 1}\nmodels: [{model: ${model}}, {model: b}]\n`

/** The model of a folder, as torch would have saved it, behind a hub. */
beforeEach(async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const tensors = Object.entries(await loadFolder(join(folder.path, 'a')))
  const specs = Object.fromEntries(
    tensors.map(([name, { shape }], key) => [name, { key: String(key), type: 'FloatStorage', shape }]),
  )
  const storages = Object.fromEntries(
    tensors.map(([, { values }], key) => [key, new Uint8Array(Float32Array.from(values).buffer)]),
  )
  const parts = torchZip(stateDict(specs), storages).map((part, index) => ({ ...part, padding: (index * 24) % 64 }))
  server = await startHubServer({
    id: 'org/a',
    commit: 'c'.repeat(40),
    files: {
      'config.json': await readFile(join(folder.path, 'a', 'config.json')),
      'pytorch_model.bin': zip(parts),
    },
  })
})
afterEach(() => server.close())

test('a torch file at the hub is planned from its directory, and merged as it is when it is here', async () => {
  const environment = { HF_ENDPOINT: server.url, HF_HOME: join(folder.path, 'cache') }
  const options = (model: string) => ({
    text: recipe(model),
    file: join(folder.path, 'recipe.yml'),
    hub: { environment },
  })
  const merge = async (model: string, out: string) => {
    const prepared = await prepareMerge(options(model))
    const plan = await prepared.download({ out: join(folder.path, out) })
    await runMerge(plan, {
      out: join(folder.path, out),
      methods: prepared.methods,
      runtime: referenceRuntime,
      threads: 0,
    })
    return { prepared, plan, tensors: await loadFolder(join(folder.path, out)) }
  }
  const remote = await merge('org/a', 'remote')
  const local = await merge('a', 'local')
  expect(remote.prepared.awaited).toEqual([{ id: 'org/a', byteCount: expect.any(Number) }])
  expect(remote.tensors).toEqual(local.tensors)
  expect(remote.prepared.plan.tensors.map(({ name }) => name)).toEqual(remote.plan.tensors.map(({ name }) => name))
  expect(remote.prepared.plan.tensors).not.toEqual(remote.plan.tensors)
})
