import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PushServer, type PushServerOptions, startPushServer } from './__fixtures__/push-server.ts'
import { checkPush, pushFolder, type PushOptions, type PushProgress } from './push-folder.ts'

const token = 'hf_secret'
const id = 'org/merged'
const weights = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251))

let folder = ''
let server: PushServer | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-push-'))
  await writeFile(join(folder, 'model.safetensors'), weights)
  await writeFile(join(folder, 'config.json'), '{}')
  await mkdir(join(folder, 'part'))
  await writeFile(join(folder, 'part', 'README.md'), '# Merged')
  await writeFile(join(folder, '.DS_Store'), 'of this machine')
})

afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

async function push(
  options: Partial<PushServerOptions> = {},
  settings: Partial<PushOptions> & { readonly environment?: Record<string, string> } = {},
) {
  server ??= await startPushServer({ token, ...options })
  const { environment, ...rest } = settings
  const { hub, ...others } = rest
  return pushFolder({
    folder,
    id,
    ...others,
    hub: { environment: { HF_ENDPOINT: server.url, HF_TOKEN: token, ...environment }, retryDelayMs: 1, ...hub },
  })
}

const filesOf = (name = id) => server!.repositories.get(name)!.files

describe('pushFolder', () => {
  it('makes the repository, and uploads all files but hidden ones in one commit', async () => {
    const result = await push()
    expect(result).toMatchObject({ id, fileCount: 3, byteCount: weights.length + 2 + 8 })
    expect(result.url).toBe(`${server!.url}/${id}/commit/${result.commit}`)
    expect([...filesOf().keys()].toSorted()).toEqual(['config.json', 'model.safetensors', 'part/README.md'])
    expect(filesOf().get('model.safetensors')!.equals(weights)).toBe(true)
    expect(String(filesOf().get('part/README.md'))).toBe('# Merged')
    expect(server!.commits).toHaveLength(1)
    expect(server!.repositories.get(id)!.isPrivate).toBe(false)
  })

  it('uploads large files in the parts that the hub asks for, telling how far it has come', async () => {
    const told: PushProgress[] = []
    await push(
      { partBytes: 1000 },
      { isPrivate: true, message: 'By hand', onProgress: (progress) => told.push(progress) },
    )
    expect(filesOf().get('model.safetensors')!.equals(weights)).toBe(true)
    expect(server!.commits).toEqual(['By hand'])
    expect(server!.repositories.get(id)!.isPrivate).toBe(true)
    const uploaded = told.filter(({ phase }) => phase === 'uploading').map(({ doneBytes }) => doneBytes)
    expect(uploaded).toEqual(expect.arrayContaining([1000, 2000, 3000]))
    expect(told.every(({ totalBytes }) => totalBytes === weights.length + 10)).toBe(true)
    const totalBytes = weights.length + 10
    expect(told.filter(({ phase }) => phase === 'committing')).toEqual([
      { phase: 'committing', doneBytes: totalBytes, totalBytes },
    ])
    expect(told.at(-1)!.phase).not.toBe('hashing')
  })

  it('does not send again what the hub has, and takes a repository that is there', async () => {
    await push({ repositories: [id] })
    const sent = () => server!.requests.filter(({ host }) => host === 'storage').length
    expect(sent()).toBe(1)
    await push()
    expect(sent()).toBe(1)
    expect(server!.commits).toHaveLength(2)
  })

  it('opens a pull request where that is asked for', async () => {
    expect((await push({}, { isPullRequest: true })).url).toBe(`${server!.url}/${id}/discussions/1`)
  })

  it('sends the token to the hub alone', async () => {
    await push({ partBytes: 1000 })
    const tokens = (host: string) =>
      new Set(server!.requests.filter((request) => request.host === host).map(({ authorization }) => authorization))
    expect(tokens('hub')).toEqual(new Set([`Bearer ${token}`]))
    expect(tokens('storage')).toEqual(new Set([undefined]))
  })

  it('asks again after what may pass', async () => {
    let busy = 4
    await push({ answer: ({ host }) => (host === 'storage' && busy-- > 0 ? { status: 503 } : undefined) })
    expect(filesOf().size).toBe(3)
  })

  it('says that trying again may help where the hub stays busy', async () => {
    const failed = push({ answer: ({ host }) => (host === 'storage' ? { status: 503 } : undefined) })
    await expect(failed).rejects.toMatchObject({
      code: 'push-failed',
      fault: 'failure',
      issue: { reason: 'status 503' },
    })
    expect(filesOf().size).toBe(0)
  })

  it.each([401, 403, 413])('tells what the hub refuses with status %d, and never the token', async (status) => {
    const body = JSON.stringify({ error: `you sent Bearer ${token}` })
    const error = await push({
      answer: ({ path }) => (path.includes('/commit/') ? { status, body } : undefined),
    }).catch((caught: unknown) => caught as Error)
    expect(error).toMatchObject({ code: 'push-refused', fault: 'usage', issue: { id, status } })
    expect((error as Error).message).not.toContain(token)
    expect(filesOf().size).toBe(0)
  })

  it('takes a repository of others that it may write, though it may make none there', async () => {
    await push({
      repositories: [id],
      answer: ({ path }) => (path === '/api/repos/create' ? { status: 403 } : undefined),
    })
    expect(filesOf().size).toBe(3)
  })

  it('ends by a signal with its reason, and commits nothing', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const pushed = push(
      { partBytes: 100 },
      {
        hub: { signal: controller.signal },
        onProgress: ({ phase }) => phase === 'uploading' && controller.abort(reason),
      },
    )
    await expect(pushed).rejects.toBe(reason)
    expect(filesOf().size).toBe(0)
  })

  it('says that the hub is not to be reached', async () => {
    await push()
    await server!.close()
    await expect(push()).rejects.toMatchObject({ code: 'push-failed', fault: 'failure' })
    server = undefined
  })

  it.each([
    ['nothing', 'is not there'],
    ['config.json', 'is no folder'],
    ['empty', 'has no files'],
    ['.merged.partial', 'is a merge that has not finished'],
  ])('refuses %s as a folder', async (name, problem) => {
    await mkdir(join(folder, 'empty'))
    await expect(push({}, { folder: join(folder, name) })).rejects.toMatchObject({
      code: 'push-folder',
      issue: { problem },
    })
    expect(server!.requests).toEqual([])
  })
})

describe('checkPush', () => {
  const environment = { HF_TOKEN: token }

  it('is content with a name and a token', async () => {
    expect(await checkPush({ id, hub: { environment } })).toBeUndefined()
  })

  it.each(['merged', 'org/merged/main', '../merged', 'org/', 'org/a b', ''])(
    'refuses %j as a repository',
    async (bad) => {
      await expect(checkPush({ id: bad, hub: { environment } })).rejects.toMatchObject({
        code: 'push-id',
        fault: 'usage',
      })
    },
  )

  it('wants a token, and no word against the network', async () => {
    const without = { HF_TOKEN: '', HF_HOME: folder }
    await expect(checkPush({ id, hub: { environment: without } })).rejects.toMatchObject({ code: 'push-token' })
    const offline = { ...environment, HF_HUB_OFFLINE: '1' }
    await expect(checkPush({ id, hub: { environment: offline } })).rejects.toMatchObject({ code: 'push-offline' })
  })
})
