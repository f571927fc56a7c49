import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { waitForLock } from '../lock/file-lock.ts'
import { failure, useHub } from './__fixtures__/hub-harness.ts'
import { commit, id, sharded, shardNames } from './__fixtures__/hub-model.ts'
import type { HubServerOptions } from './__fixtures__/hub-server.ts'
import type { HubActivity } from './hub-activity.ts'
import { readRetryAfter } from './passing-failures.ts'

const hub = useHub()
const token = 'hf_veryverysecret'

/** Answers the first requests that `isMeant` picks. */
function first(times: number, status: number, headers: Record<string, string>, host: 'hub' | 'cdn' = 'hub') {
  let left = times
  return ((request) =>
    request.host === host && left-- > 0 ? { status, headers } : undefined) as HubServerOptions['answer']
}

function listen() {
  const seen: HubActivity[] = []
  return { seen, onActivity: (activity: HubActivity) => void seen.push(activity) }
}

describe('a hub that limits the rate', () => {
  test.each([
    ['Retry-After', { 'retry-after': '0.2' }, 200],
    ['RateLimit', { ratelimit: '"api";r=0;t=1' }, 1000],
  ])('is left alone as long as %s says', async (_, headers, waitMs) => {
    const { seen, onActivity } = listen()
    await hub.serve({ answer: first(1, 429, headers)! })
    const startedAt = performance.now()
    await hub.resolve({ onActivity })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(waitMs - 5)
    expect(seen).toContainEqual({ kind: 'rate-limit', id, what: "revision 'main'", waitMs })
  })

  test('and wants more patience than anybody has is told at once, with what would help', async () => {
    await hub.serve({ answer: first(9, 429, { 'retry-after': '7200' })! })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-rate-limited',
      issue: { seconds: 7200 },
      message: expect.stringMatching(/7200 s.*HF_TOKEN/),
    })
    expect(hub.server.requests.length).toBe(1)
  })

  test('without saying how long is asked again as where it is busy', async () => {
    await hub.serve({ answer: first(2, 429, {})! })
    expect((await hub.resolve()).commit).toBe(commit)
  })

  test('is left alone no longer than the merge is wanted', async () => {
    await hub.serve({ answer: first(1, 429, { 'retry-after': '60' })! })
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('interrupted')), 50)
    await expect(hub.resolve({ signal: stop.signal })).rejects.toThrow(/abort|interrupted/)
  })

  test.each([
    ['3', undefined, 3000],
    ['Thu, 26 Nov 2026 00:00:10 GMT', undefined, 10_000],
    ['soon', undefined, undefined],
    [undefined, '"api";r=0;t=55', 55_000],
    [undefined, 'limit=500, remaining=0, reset=42', 42_000],
    ['1', '"api";r=0;t=55', 1000],
  ])('Retry-After %s and RateLimit %s', (after, limit, expected) => {
    const headers = new Headers({ ...(after && { 'retry-after': after }), ...(limit && { ratelimit: limit }) })
    expect(readRetryAfter(headers, Date.parse('2026-11-26T00:00:00Z'))).toBe(expected)
  })
})

describe('what the hub refuses', () => {
  test('only GatedRepo is gated, with the page to go to', async () => {
    await hub.serve({ answer: first(1, 403, { 'x-error-code': 'GatedRepo' })! })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-gated',
      message: expect.stringContaining(`${hub.server.url}/${id}`),
    })
    await hub.serve({ answer: first(1, 403, {})! })
    expect(await failure(hub.resolve())).toMatchObject({ code: 'hub-forbidden', fault: 'usage' })
  })

  test.each([401, 403])('a refusal of the storage, %s, is not gated; a new address is tried first', async (status) => {
    await hub.serve({ answer: first(1, status, {}, 'cdn')! })
    expect((await hub.resolve()).headers.size).toBe(2)
    await hub.serve({ answer: first(99, status, {}, 'cdn')! })
    const error = await failure(hub.resolve({ revision: 'v1' }))
    expect(error).toMatchObject({ code: 'hub-storage', fault: 'failure', issue: { status } })
    expect(error.message).not.toMatch(/gated|signature/)
  })

  test('a private model and a token that does not see it', async () => {
    await hub.serve()
    const none = await failure(hub.resolve({ id: 'priv/a' }))
    const blind = await failure(hub.resolve({ id: 'priv/a', env: { HF_TOKEN: 'hf_secret' } }))
    expect([none.code, blind.code]).toEqual(['hub-not-found', 'hub-not-found'])
    expect(none.message).toMatch(/no model priv\/a.*private.*no token is set.*HF_TOKEN/)
    expect(blind.message).toMatch(/no model priv\/a.*private and the token that is set does not see it/)
  })

  test('requests name the program and its version', async () => {
    await hub.serve()
    await hub.resolve()
    expect(hub.server.requests.map(({ userAgent }) => userAgent)).toEqual(
      hub.server.requests.map(() => expect.stringMatching(/^mk\/\d+\.\d+\.\d+/)),
    )
  })
})

describe('hosts that are not there', () => {
  test.each(['http://127.0.0.1:9', 'http://nowhere.invalid'])(
    '%s is asked once, and nothing has arrived',
    async (endpoint) => {
      const { seen, onActivity } = listen()
      const error = await failure(hub.resolve({ env: { HF_ENDPOINT: endpoint }, retryDelayMs: 60_000, onActivity }))
      expect(error).toMatchObject({ code: 'hub-unreachable', message: expect.stringContaining(new URL(endpoint).host) })
      expect(error.message).not.toMatch(/arrived/)
      expect(seen.map(({ kind }) => kind)).toEqual(['asking'])
    },
  )

  test('what has arrived of a file is told where something has', async () => {
    const drops: NonNullable<HubServerOptions['drops']> = {}
    await hub.serve({ drops })
    const model = await hub.resolve({ parallelFiles: 1 })
    drops[shardNames[0]] = { afterBytes: 60_000, times: 99 }
    const broken = model.download((progress) => {
      if (progress.doneBytes >= 60_000) void hub.server.close()
    })
    expect(await failure(broken)).toMatchObject({
      code: 'hub-unreachable',
      message: expect.stringContaining('what has arrived is kept'),
    })
  })
})

describe('what goes on is told', () => {
  test('questions and repetitions', async () => {
    const { seen, onActivity } = listen()
    await hub.serve({ busy: { times: 1 } })
    await hub.resolve({ onActivity })
    expect(seen.slice(0, 3)).toEqual([
      { kind: 'asking', id, what: "revision 'main'" },
      { kind: 'repeating', id, what: "revision 'main'", reason: 'status 503', waitMs: 1, attempt: 2, attempts: 5 },
      { kind: 'asking', id, what: "revision 'main'" },
    ])
    expect(seen.map(({ what }) => what)).toContain(shardNames[1])
  })

  test('a pickle that must come whole, before it comes', async () => {
    const seen: string[] = []
    await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': new Uint8Array(5000) } })
    await hub.resolve({
      onActivity: (activity) => {
        if (activity.kind === 'whole-files') seen.push(`${activity.what} ${activity.byteCount}`)
      },
      onProgress: ({ doneBytes }) => seen.push(String(doneBytes)),
    })
    expect([seen[0], seen.at(-1)]).toEqual(['pytorch_model.bin 5000', '5000'])
  })

  test('that another process brings the file, and how far it is', async () => {
    const { seen, onActivity } = listen()
    await hub.serve()
    const model = await hub.resolve({ onActivity })
    const blobs = join(hub.repo(), 'blobs')
    const hash = createHash('sha256')
      .update(sharded[shardNames[0]] as Uint8Array)
      .digest('hex')
    await mkdir(blobs, { recursive: true })
    const lockFile = join(blobs, `${hash}.mk.lock`)
    const lock = await waitForLock(lockFile)
    await writeFile(join(blobs, `${hash}.mk.incomplete`), (sharded[shardNames[0]] as Uint8Array).subarray(0, 1234))
    const owner = JSON.parse(await readFile(lockFile, 'utf8')) as object
    await writeFile(lockFile, JSON.stringify({ ...owner, host: 'elsewhere', where: 'elsewhere', pid: 4711 }))
    const done: number[] = []
    const downloaded = model.download(({ doneBytes }) => {
      done.push(doneBytes)
    })
    await expect.poll(() => seen.some(({ kind }) => kind === 'lock')).toBe(true)
    expect(seen).toContainEqual({ kind: 'lock', id, what: shardNames[0], pid: 4711, host: 'elsewhere' })
    await rm(lockFile)
    await downloaded
    await lock.release()
    expect(done.length).toBeGreaterThan(0)
  })
})

describe('a branch', () => {
  const other = 'beef'.padEnd(40, '0')

  test('that has moved is found where that is asked for', async () => {
    await hub.serve()
    await (await hub.resolve()).download()
    await hub.serve({ commit: other })
    expect((await hub.resolve()).commit).toBe(commit)
    const moved = await hub.resolve({ refresh: true })
    expect([moved.commit, moved.notes]).toEqual([other, [`${id}: 'main' has moved from commit ${commit} to ${other}`]])
    expect((await hub.resolve({ revision: commit, refresh: true })).commit).toBe(commit)
  })

  test('that can not be asked for is used as it is, with a note', async () => {
    await hub.serve()
    await (await hub.resolve()).download()
    await hub.server.close()
    expect((await hub.resolve({ refresh: true })).notes).toEqual([
      `${id} is used as it is in the cache, at commit ${commit}, because the hub could not be reached`,
    ])
  })
})

test('what is missing from the cache is noted where HF_HUB_OFFLINE forbids to fetch it', async () => {
  const { 'tokenizer.json': _, 'tokenizer_config.json': __, ...others } = sharded
  await hub.serve({ files: others })
  await (await hub.resolve()).download()
  expect((await hub.resolve({ env: { HF_HUB_OFFLINE: '1' } })).notes).toEqual([
    expect.stringMatching(/HF_HUB_OFFLINE is set: there is no tokenizer/),
  ])
})

describe('a cache', () => {
  test('that can not be written is told as that', async () => {
    await hub.serve()
    const folder = join(hub.cache, 'file')
    await writeFile(folder, '')
    expect(await failure(hub.resolve({ env: { HF_HOME: folder } }))).toMatchObject({
      code: 'hub-cache-unwritable',
      fault: 'usage',
      message: expect.stringContaining('HF_HUB_CACHE'),
    })
  })

  test.skipIf(process.getuid?.() === 0)('that belongs to somebody else', async () => {
    await hub.serve()
    await chmod(hub.cache, 0o500)
    onTestFinished(() => chmod(hub.cache, 0o700))
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-cache-unwritable',
      message: expect.stringContaining('permission denied'),
    })
  })
})

describe('a proxy', () => {
  async function startProxy() {
    const asked: string[] = []
    const server = createServer().on('connect', (request, socket) => {
      asked.push(request.url!)
      const url = new URL(hub.server.url)
      const upstream = connect(Number(url.port), url.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      for (const end of [upstream, socket]) end.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return { asked, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  test('named by the environment is gone through, but for the hosts that need none', async () => {
    await hub.serve({ token })
    const { asked, address } = await startProxy()
    // The proxy leads every name to the hub of the test; its storage redirects to an address, which needs none.
    const env = { HTTP_PROXY: address, NO_PROXY: '127.0.0.1', HF_ENDPOINT: 'http://hub.localhost', HF_TOKEN: token }
    const model = await hub.resolve({ env })
    await model.download()
    expect(model.commit).toBe(commit)
    expect(new Set(asked)).toEqual(new Set(['hub.localhost:80']))
    const direct = await failure(hub.resolve({ env: { ...env, NO_PROXY: '.localhost' }, revision: 'v1' }))
    expect(direct.code).toBe('hub-unreachable')
  })

  test.each(['socks5://127.0.0.1:1080', 'http://'])('%s is refused', async (address) => {
    expect(await failure(hub.resolve({ env: { HTTPS_PROXY: address } }))).toMatchObject({
      code: 'hub-proxy',
      message: expect.stringContaining('HTTPS_PROXY'),
    })
  })
})
