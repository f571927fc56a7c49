import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type HubServer,
  type HubServerOptions,
  startHubServer,
} from '../../../packages/checkpoint/src/hub/__fixtures__/hub-server.ts'
import { goldens, runBin, withFolder } from './__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)
const token = `hf_${'aB3'.repeat(11)}x`
const model = join(goldens, 'models', 'llama-ft1')
const files = Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))]))
const recipe = 'merge_method: passthrough\nmodels: [{model: org/model}]\n'
/** Ends the process after some tensors, so that all that a merge in the middle has written stays. */
const leaving =
  'import { exit } from "node:process"; let calls = 0; export default { name: "leaving", summary: "Leaves.", base: "none", models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, async merge({ models }) { if (calls++ > 6) { await new Promise((resolve) => setTimeout(resolve, 300)); exit(0) } return models[0] } }'

let hub: HubServer | undefined
afterEach(async () => {
  await hub?.close()
  hub = undefined
})

interface Run {
  readonly text?: string
  readonly options?: readonly string[]
  /** How the hub is addressed; absent: as it is. */
  readonly endpoint?: (url: string) => string
  readonly served?: Partial<HubServerOptions>
}

/** Runs a merge of a hub's model with a token; checks that what it says and all that it leaves are without it. */
async function runWithToken({ text = recipe, options = [], endpoint = (url) => url, served = {} }: Run) {
  await hub?.close()
  hub = await startHubServer({ id: 'org/model', commit: 'c'.repeat(40), files, token, ...served })
  return withFolder(async (folder) => {
    writeFileSync(join(folder, 'own.mjs'), leaving)
    mkdirSync(join(folder, 'recipes'))
    const file = join(folder, 'recipes', 'r.yml')
    writeFileSync(file, text)
    const args = [file, join(folder, 'out'), '--threads', '1', '-v', ...options]
    const result = await runBin(bin, args, {
      cwd: folder,
      env: { HF_HOME: join(folder, 'cache'), HF_ENDPOINT: endpoint(hub!.url), HF_TOKEN: token },
    })
    expect(result.stdout + result.stderr).not.toContain(token)
    const left = filesIn(folder).filter((path) => path !== file)
    expect(left.filter((path) => readFileSync(path).includes(token))).toEqual([])
    return { ...result, left: left.map((path) => path.slice(folder.length + 1)) }
  })
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))

describe('the token of the hub', { timeout: 60_000 }, () => {
  it('is in no plan, for people or as JSON', async () => {
    const plan = await runWithToken({ options: ['--dry-run'] })
    expect(plan).toMatchObject({ status: 0, stdout: expect.stringContaining('model.safetensors') })
    expect((await runWithToken({ options: ['--dry-run', '--json'] })).status).toBe(0)
  })

  it('is in nothing of an output, its card among it, nor in the cache, and no other host gets it', async () => {
    const { status, left } = await runWithToken({})
    expect(status).toBe(0)
    expect(left).toEqual(expect.arrayContaining(['out/README.md', 'out/mergekit_config.yml', 'out/config.json']))
    const strangers = hub!.requests.filter(({ host }) => host === 'cdn')
    expect(strangers.length).toBeGreaterThan(0)
    expect(strangers.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  it('is not in what a merge in the middle has written, its journal among it', async () => {
    const text = recipe.replace('passthrough', '../own.mjs')
    const { status, left } = await runWithToken({ text, options: ['--allow-code'] })
    expect(status).toBe(2)
    expect(left).toContain('out.partial/journal.json')
  })

  it.each<[string, Partial<HubServerOptions>]>([
    ['in the error that it answers with', { token: 'another' }],
    ['as the commit of a branch', { commit: token }],
    ['in the name of a file', { listed: (entry) => ({ ...entry, path: `${token}.gguf` }) }],
    ['as the hash of a file', { listed: (entry) => ({ ...entry, oid: token, lfs: { oid: token } }) }],
    ['as the kind of an entry', { listed: (entry) => ({ ...entry, path: { [token]: token } }) }],
  ])('is in no error, at no verbosity, where the hub gives it back %s', async (_, served) => {
    const { status, stderr } = await runWithToken({ served })
    expect([status, stderr]).toEqual([expect.any(Number), expect.stringMatching(/^error: /m)])
    expect(status).toBeGreaterThan(0)
  })

  it.each<[string, (url: string) => string, RegExp]>([
    ['with it as a password', (url) => url.replace('//', `//me:${token}@`), /HF_ENDPOINT holds/],
    ['with it as a parameter', (url) => `${url}/?token=${token}`, /out: 39 tensors/],
    ['with it as a path', (url) => `${url}/${token}`, /the hub has no/],
    ['without encryption', () => 'http://example.org', /would be sent in the clear/],
  ])('is not shown where the address of the hub is one %s', async (_, endpoint, says) => {
    const { stdout, stderr } = await runWithToken({ endpoint })
    expect(stdout + stderr).toMatch(says)
  })

  it('in a recipe is refused before it comes into an output, and not shown', async () => {
    const text = recipe.replace('org/model', `https://me:${token}@huggingface.co/org/model`)
    const { status, stderr } = await runWithToken({ text })
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/r\.yml:2:29: here stands a token of Hugging Face/),
    })
    const long = recipe.replace('[{', `[ ${' '.repeat(30)}{`).replace('org/model', `a/${token}`)
    expect((await runWithToken({ text: long })).stderr).toContain('hf_…')
  })
})
