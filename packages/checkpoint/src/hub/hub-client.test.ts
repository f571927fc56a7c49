import { describe, expect, test } from 'vitest'
import type { HubActivity } from './hub-activity.ts'
import { createHubClient, type HubAccount } from './hub-client.ts'
import type { HubOptions } from './hub-settings.ts'

const commit = 'c'.repeat(40)
const entry = (path: string) => ({ type: 'file', path, size: 1, oid: 'a'.repeat(40) })

/** A client whose requests have these answers in order, the last one again and again. */
function clientOf(
  answers: readonly (() => Response | Promise<Response>)[],
  options: HubOptions & { readonly account?: Partial<HubAccount> } = {},
) {
  const asked: { readonly url: string; readonly headers: Headers; readonly signal: AbortSignal }[] = []
  const seen: HubActivity[] = []
  const account: HubAccount = {
    endpoint: 'https://hub.example',
    hasToken: false,
    fetch: (async (url: string, { headers, signal }: { headers: HeadersInit; signal: AbortSignal }) => {
      asked.push({ url, headers: new Headers(headers), signal })
      return answers[Math.min(asked.length, answers.length) - 1]!()
    }) as unknown as typeof fetch,
    holdsToken: () => false,
    headers: { 'user-agent': 'mk', 'accept-encoding': 'gzip' },
    authorize: (url) => (url.startsWith('https://hub.example') ? { authorization: 'Bearer x' } : {}),
    ...options.account,
  }
  const onActivity = (activity: HubActivity) => void seen.push(activity)
  const client = createHubClient('org/a', account, { retryDelayMs: 1, stallMs: 1000, onActivity, ...options })
  return { client, asked, seen }
}
const answer =
  (status: number, headers: HeadersInit = {}) =>
  () =>
    new Response(null, { status, headers })
const json =
  (value: unknown, headers: HeadersInit = {}) =>
  () =>
    Response.json(value, { headers })
const from = (url: string, response: Response) => Object.defineProperty(response, 'url', { value: url })
const broken = (code: string, hostname?: string) => () =>
  Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code, hostname }) }))
const repeating = (reason: string, attempt: number, attempts = 5) => ({
  kind: 'repeating',
  id: 'org/a',
  what: "revision 'main'",
  reason,
  waitMs: 2 ** (attempt - 2),
  attempt,
  attempts,
})
const repeated = (seen: readonly HubActivity[]) => seen.filter(({ kind }) => kind === 'repeating')

describe('a failure that may pass', () => {
  test.each([429, 500, 503])('is asked about five times, each time after twice as long: status %i', async (status) => {
    const { client, asked, seen } = clientOf([answer(status)])
    await expect(client.findCommit('main')).rejects.toMatchObject({
      code: 'hub-status',
      issue: { id: 'org/a', what: "revision 'main'", status },
    })
    expect(asked).toHaveLength(5)
    expect(repeated(seen)).toEqual([2, 3, 4, 5].map((attempt) => repeating(`status ${status}`, attempt)))
  })

  test('is waited for as long as the hub says, where it says', async () => {
    const { client, seen } = clientOf([answer(503, { 'retry-after': '0.003' }), json({ sha: commit })])
    expect(await client.findCommit('main')).toBe(commit)
    expect(repeated(seen)).toEqual([{ ...repeating('status 503', 2), waitMs: 3 }])
  })

  test('of the storage is asked about three times', async () => {
    const { client, asked } = clientOf([() => from('https://cdn.example/x', new Response(null, { status: 403 }))])
    await expect(client.open(commit, 'w', 0, undefined)).rejects.toMatchObject({
      code: 'hub-storage',
      issue: { what: 'w', host: 'cdn.example', status: 403 },
    })
    expect(asked).toHaveLength(3)
  })

  test('of the rate is waited for six times', async () => {
    const { client, asked, seen } = clientOf([answer(429, { 'retry-after': '0.001' })])
    await expect(client.findCommit('main')).rejects.toMatchObject({
      code: 'hub-rate-limited',
      issue: { seconds: 1, hasToken: false },
    })
    expect(asked).toHaveLength(7)
    const limits = seen.filter(({ kind }) => kind === 'rate-limit')
    expect(limits).toEqual(Array(6).fill({ kind: 'rate-limit', id: 'org/a', what: "revision 'main'", waitMs: 1 }))
  })

  test.each([429, 503])('is waited for a quarter of an hour at most: status %i', async (status) => {
    const long = clientOf([answer(status, { 'retry-after': '900.001' })])
    await expect(long.client.findCommit('main')).rejects.toMatchObject({ fault: 'failure' })
    expect(long.asked).toHaveLength(1)
    const stop = new AbortController()
    const borne = clientOf([answer(status, { 'retry-after': '900' })], {
      signal: stop.signal,
      onActivity: ({ kind }) => kind !== 'asking' && stop.abort('enough'),
    })
    await expect(borne.client.findCommit('main')).rejects.toBe('enough')
  })
})

describe('a host that is not reached', () => {
  test('is asked once, and five times where it answered a moment ago', async () => {
    const gone = clientOf([broken('ECONNREFUSED')])
    await expect(gone.client.findCommit('main')).rejects.toMatchObject({
      code: 'hub-unreachable',
      issue: { host: 'hub.example', what: "revision 'main'" },
    })
    expect(gone.asked).toHaveLength(1)
    const went = clientOf([answer(503), broken('ECONNREFUSED')])
    await expect(went.client.findCommit('main')).rejects.toMatchObject({ code: 'hub-unreachable' })
    expect(went.asked).toHaveLength(5)
  })

  test('is another one, to which the hub has pointed, though the hub answered', async () => {
    const elsewhere = clientOf([answer(503), broken('ENOTFOUND', 'cdn.example')])
    await expect(elsewhere.client.findCommit('main')).rejects.toMatchObject({ issue: { host: 'cdn.example' } })
    expect(elsewhere.asked).toHaveLength(2)
    const known = clientOf([
      () => from('https://cdn.example/x', new Response(null, { status: 503 })),
      broken('ENOTFOUND', 'cdn.example'),
    ])
    await expect(known.client.findCommit('main')).rejects.toMatchObject({ issue: { host: 'cdn.example' } })
    expect(known.asked).toHaveLength(5)
  })

  test('is asked five times where a connection breaks', async () => {
    const { client, asked } = clientOf([broken('ECONNRESET')])
    await expect(client.findCommit('main')).rejects.toMatchObject({ issue: { reason: 'ECONNRESET' } })
    expect(asked).toHaveLength(5)
  })

  test('is given up where nothing comes in time', async () => {
    const fetching = (_url: string, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const { client } = clientOf([], { stallMs: 5, account: { fetch: fetching as unknown as typeof fetch } })
    await expect(client.findCommit('main')).rejects.toMatchObject({ issue: { reason: 'no answer in time' } })
  })

  test('is asked no longer than that is wanted', async () => {
    const stop = new AbortController()
    stop.abort('enough')
    const all = clientOf([broken('ECONNRESET')], { signal: stop.signal })
    await expect(all.client.findCommit('main')).rejects.toBe('enough')
    const one = clientOf([broken('ECONNRESET')])
    await expect(one.client.open(commit, 'w', 0, undefined, stop.signal)).rejects.toBe('enough')
    expect([all.asked.length, one.asked.length]).toEqual([1, 1])
  })
})

describe('what the hub refuses', () => {
  test.each<[number, string | undefined, object]>([
    [403, 'GatedRepo', { code: 'hub-gated', issue: { hasToken: false, page: 'https://hub.example/org/a' } }],
    [401, undefined, { code: 'hub-unauthorized', issue: { hasToken: false } }],
    [403, undefined, { code: 'hub-forbidden', issue: { what: "revision 'main'", hasToken: false } }],
    [404, 'RevisionNotFound', { code: 'hub-not-found', issue: { what: "revision 'main'", hasToken: false } }],
    [418, undefined, { code: 'hub-status', issue: { status: 418, what: "revision 'main'" } }],
  ])('%i (%s) is told at once', async (status, reason, error) => {
    const { client, asked } = clientOf([answer(status, reason === undefined ? {} : { 'x-error-code': reason })])
    await expect(client.findCommit('main')).rejects.toMatchObject(error)
    expect(asked).toHaveLength(1)
  })

  test('is a whole model where that is not there', async () => {
    const { client } = clientOf([answer(404, { 'x-error-code': 'RepoNotFound' })])
    const error = (await client.findCommit('main').catch((reason: unknown) => reason)) as { issue: object }
    expect(error.issue).toEqual({ code: 'hub-not-found', id: 'org/a', hasToken: false })
  })
})

describe('a request', () => {
  test('of a file asks for its bytes as they are, from where to where', async () => {
    const { client, asked } = clientOf([() => new Response('x')])
    const ranges: readonly (readonly [number, number | undefined])[] = [
      [0, undefined],
      [0, 5],
      [3, undefined],
      [3, 5],
    ]
    for (const [start, end] of ranges) await client.open(commit, 'a b/w', start, end)
    expect(asked.map(({ headers }) => headers.get('range'))).toEqual([null, 'bytes=0-4', 'bytes=3-', 'bytes=3-4'])
    expect(asked[0]!.url).toBe(`https://hub.example/org/a/resolve/${commit}/a%20b/w`)
    expect(Object.fromEntries(asked[0]!.headers)).toEqual({
      'accept-encoding': 'identity',
      authorization: 'Bearer x',
      'user-agent': 'mk',
    })
  })

  test('ends with the signal that is given for it, or for all', async () => {
    const [own, all] = [new AbortController(), new AbortController()]
    const { client, asked } = clientOf([() => new Response('x')], { signal: all.signal })
    await client.open(commit, 'w', 0, undefined, own.signal)
    await client.open(commit, 'w', 0, undefined)
    own.abort()
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false])
    all.abort()
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true])
  })

  test('of a list asks for JSON, page by page', async () => {
    const { client, asked } = clientOf([
      json([entry('a'), { type: 'directory', path: 'sub' }], { link: '</next>; rel="next"' }),
      json([entry('b')]),
    ])
    expect(await client.listFiles(commit)).toEqual({
      files: ['a', 'b'].map((name) => ({ name, byteCount: 1, hash: 'a'.repeat(40) })),
      folders: ['sub'],
    })
    expect(asked.map(({ url }) => url)).toEqual([
      `https://hub.example/api/models/org/a/tree/${commit}`,
      'https://hub.example/next',
    ])
    expect(asked[0]!.headers.get('accept')).toBe('application/json')
    const inside = clientOf([json([entry('sub/a'), { type: 'directory', path: 'sub' }, entry('b')])])
    expect(await inside.client.listFiles(commit, 'sub')).toMatchObject({ files: [{ name: 'sub/a' }], folders: [] })
  })
})

describe('an answer', () => {
  test('has 20,000 files at most', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => entry(`f${index}`))
    const { files } = await clientOf([json(many(20_000))]).client.listFiles(commit)
    expect(files).toHaveLength(20_000)
    await expect(clientOf([json(many(20_001))]).client.listFiles(commit)).rejects.toMatchObject({
      code: 'hub-answer',
      issue: { problem: 'it lists more than 20000 files' },
    })
  })

  test('has 200 pages at most', async () => {
    const endless = clientOf([json([], { link: '</next>; rel="next"' })])
    await expect(endless.client.listFiles(commit)).rejects.toMatchObject({
      issue: { problem: 'its list of files has more than 200 pages' },
    })
    expect(endless.asked).toHaveLength(200)
  })

  test.each<[unknown, string]>([
    [{}, 'it names no commit'],
    [{ sha: 'x' }, 'it names no commit'],
    [null, 'it names no commit'],
  ])('%j is no commit', async (value, problem) => {
    await expect(clientOf([json(value)]).client.findCommit('main')).rejects.toMatchObject({
      code: 'hub-answer',
      issue: { id: 'org/a', problem },
    })
  })

  test('that is no JSON, or no list, is told as what it was to be', async () => {
    await expect(clientOf([() => new Response('<')]).client.listFiles(commit)).rejects.toMatchObject({
      issue: { problem: 'the list of files is no JSON' },
    })
    await expect(clientOf([json({})]).client.listFiles(commit)).rejects.toMatchObject({
      issue: { problem: 'its list of files is no list' },
    })
  })

  test('has no names that hold the token', async () => {
    const holdsToken = (text: string) => text.includes('secret')
    const { client } = clientOf([json([entry('a'), entry('secret')])], { account: { holdsToken } })
    expect((await client.listFiles(commit)).files.map(({ name }) => name)).toEqual(['a'])
  })
})
