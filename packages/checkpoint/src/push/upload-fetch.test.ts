import { expect, test } from 'vitest'
import type { HubSettings } from '../hub/hub-settings.ts'
import { createUploadFetch } from './upload-fetch.ts'

interface Seen {
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
}

/** The answers of a fetch to requests to the hub and elsewhere, and what it was asked. */
function fetching(answers: readonly (number | Error)[], signal?: AbortSignal) {
  const seen: Seen[] = []
  const left = [...answers]
  const settings = {
    headers: { 'user-agent': 'mk' },
    authorize: (url: string) => (url.startsWith('https://hub/') ? { authorization: 'Bearer t' } : {}),
    fetch: async (_: unknown, { headers, signal: given }: { headers: Headers; signal: AbortSignal }) => {
      seen.push({ headers: Object.fromEntries(headers), signal: given })
      const answer = left.length > 1 ? left.shift()! : left[0]!
      if (answer instanceof Error) throw answer
      return new Response('x', { status: answer })
    },
  } as unknown as HubSettings
  return { seen, ask: createUploadFetch(settings, { retryDelayMs: 1, ...(signal && { signal }) }) }
}

test('the token goes to the hub, and what a storage has said to that', async () => {
  const { seen, ask } = fetching([200])
  await ask('https://hub/api', { headers: { authorization: 'Bearer undefined', a: 'b' } })
  await ask(new Request('https://storage/x'), { headers: { authorization: 'Bearer undefined' } })
  await ask('https://storage/x', { headers: { authorization: 'Signed' } })
  expect(seen.map(({ headers }) => headers)).toEqual([
    { authorization: 'Bearer t', a: 'b', 'user-agent': 'mk' },
    { 'user-agent': 'mk' },
    { authorization: 'Signed', 'user-agent': 'mk' },
  ])
  expect(seen.every(({ signal }) => signal instanceof AbortSignal)).toBe(true)
})

test.each([500, 503, 429, new Error('reset')])('is asked again after %s, five times at most', async (answer) => {
  const passing = fetching([answer, answer, answer, answer, 200])
  expect((await passing.ask('https://hub/')).status).toBe(200)
  expect(passing.seen).toHaveLength(5)
  const lasting = fetching([answer])
  const last = await lasting.ask('https://hub/').then(
    ({ status }) => status,
    (error: unknown) => error,
  )
  expect(last).toBe(answer)
  expect(lasting.seen).toHaveLength(5)
})

test.each([400, 404, 499])('%i is an answer', async (status) => {
  const { seen, ask } = fetching([status])
  expect((await ask('https://hub/')).status).toBe(status)
  expect(seen).toHaveLength(1)
})

test('the signal of a request, or else of the upload, ends it', async () => {
  const own = new AbortController()
  const all = new AbortController()
  const { seen, ask } = fetching([new Error('ended')], all.signal)
  own.abort()
  await expect(ask('https://hub/', { signal: own.signal })).rejects.toThrow('ended')
  all.abort()
  await expect(ask('https://hub/')).rejects.toThrow('ended')
  expect(seen.map(({ signal }) => signal)).toEqual([own.signal, all.signal])
})

test('tells the share of the parts that have arrived', async () => {
  const { ask } = fetching([200])
  const shares: number[] = []
  const progressHint = { progressCallback: (share: number) => void shares.push(share), numParts: 4 }
  for (let part = 0; part < 3; part++) await ask('https://storage/x', { progressHint } as RequestInit)
  const whole = { progressCallback: (share: number) => void shares.push(share) }
  await ask('https://storage/x', { progressHint: whole } as RequestInit)
  const failed = fetching([404])
  await failed.ask('https://storage/x', { progressHint } as RequestInit)
  expect(shares).toEqual([0.25, 0.5, 0.75, 1])
})
