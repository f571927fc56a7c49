import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type PushServer,
  type PushServerOptions,
  startPushServer,
} from '../../../../packages/checkpoint/src/push/__fixtures__/push-server.ts'
import { goldens, runBin, withFolder } from '../__fixtures__/run-bin.ts'

const token = 'hf_secret'
const bins = {
  push: new URL('../../bin/mk-push.cjs', import.meta.url),
  yaml: new URL('../../bin/mergekit-yaml.cjs', import.meta.url),
}
const recipe = `merge_method: passthrough\nmodels: [{model: ${join(goldens, 'models', 'llama-ft1')}}]\n`

let server: PushServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function run(
  bin: URL,
  args: readonly string[],
  { env = {}, ...options }: Partial<PushServerOptions> & { readonly env?: Record<string, string> } = {},
) {
  server ??= await startPushServer({ token, ...options })
  return withFolder(async (folder) => {
    mkdirSync(join(folder, 'merged'))
    writeFileSync(join(folder, 'merged', 'model.safetensors'), Buffer.alloc(1000))
    writeFileSync(join(folder, 'merged', 'config.json'), '{}')
    writeFileSync(join(folder, 'recipe.yml'), recipe)
    const surroundings = { HF_HOME: folder, HF_ENDPOINT: server!.url, HF_TOKEN: token, ...env }
    const result = await runBin(bin, args, { cwd: folder, env: surroundings })
    return { ...result, written: readdirSync(folder) }
  })
}

const uploaded = (id: string) => [...(server!.repositories.get(id)?.files.keys() ?? [])].toSorted()

describe('mk-push', () => {
  it('uploads a folder, and says where it is', async () => {
    const { status, stdout } = await run(bins.push, ['merged', 'org/name', '--private', '--message', 'First'])
    expect({ status, uploaded: uploaded('org/name') }).toEqual({
      status: 0,
      uploaded: ['config.json', 'model.safetensors'],
    })
    expect(stdout).toMatch(/^uploaded 2 files, 1\.00 kB: http:\/\/127\.0\.0\.1:\d+\/org\/name\/commit\/[0-9a-f]{40}\n$/)
    expect(server!.commits).toEqual(['First'])
    expect(server!.repositories.get('org/name')!.isPrivate).toBe(true)
  })

  it('prints the result as JSON', async () => {
    const { stdout } = await run(bins.push, ['merged', 'org/name', '--json', '--pull-request'])
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, id: 'org/name', fileCount: 2, byteCount: 1002 })
    expect((JSON.parse(stdout) as { url: string }).url).toContain('/discussions/1')
  })

  it('lists the files with --dry-run, and asks nobody', async () => {
    const { status, stdout } = await run(bins.push, ['merged', 'org/name', '--dry-run'], { env: { HF_TOKEN: '' } })
    expect({ status, requests: server!.requests }).toEqual({ status: 0, requests: [] })
    expect(stdout).toContain('1.00 kB  model.safetensors\n')
    expect(stdout).toContain('would be uploaded to org/name')
  })

  it.each<[string, readonly string[], Record<string, string>, string]>([
    ['no token', ['merged', 'org/name'], { HF_TOKEN: '' }, 'set HF_TOKEN'],
    ['a repository without an owner', ['merged', 'name'], {}, 'expected org/name'],
    ['a folder that is not there', ['nothing', 'org/name'], {}, 'nothing is not there'],
    ['no repository', ['merged'], {}, "missing argument 'org/name'"],
  ])('refuses %s', async (_, args, env, message) => {
    const { status, stdout, stderr } = await run(bins.push, args, { env })
    expect({ status, stdout, requests: server!.requests }).toEqual({ status: 2, stdout: '', requests: [] })
    expect(stderr).toContain(message)
  })

  it('ends with 1 where trying again may help', async () => {
    const answer = { status: 503, headers: { 'retry-after': '0' } }
    const busy = { answer: ({ path }: { path: string }) => (path.includes('/commit/') ? answer : undefined) }
    const { status, stderr } = await run(bins.push, ['merged', 'org/name'], busy)
    expect(status).toBe(1)
    expect(stderr).toContain('status 503')
  })
})

describe('mergekit-yaml --push', () => {
  const args = ['recipe.yml', 'out', '--threads', '1', '--push', 'org/out']

  it('uploads the output when it is written', async () => {
    const { status, stdout, written } = await run(bins.yaml, args)
    expect(status).toBe(0)
    expect(written).toContain('out')
    expect(uploaded('org/out')).toEqual(expect.arrayContaining(['README.md', 'config.json', 'model.safetensors']))
    expect(stdout).toMatch(/^out: 39 tensors.*\nuploaded \d+ files, .*org\/out\/commit\//)
  })

  it('tells of the upload in its JSON', async () => {
    const { stdout } = await run(bins.yaml, [...args, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ tensorCount: 39, pushed: { id: 'org/out' } })
  })

  it('looks for a token before anything is opened', async () => {
    const { status, stderr, written } = await run(bins.yaml, args, { env: { HF_TOKEN: '' } })
    expect(status).toBe(2)
    expect(stderr).toContain('set HF_TOKEN')
    expect(written).not.toContain('out')
  })

  it('keeps the merge where the upload is refused, and says what uploads it', async () => {
    const refuse = { answer: ({ path }: { path: string }) => (path.includes('/commit/') ? { status: 403 } : undefined) }
    const { status, stderr, written } = await run(bins.yaml, args, refuse)
    expect(status).toBe(2)
    expect(stderr).toContain('mk-push out org/out uploads it')
    expect(written).toContain('out')
  })
})
