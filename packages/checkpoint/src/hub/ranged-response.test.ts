import { describe, expect, test } from 'vitest'
import type { RemoteFile } from './hub-client.ts'
import { checkResponse, readRange } from './ranged-response.ts'

const file = { name: 'w.safetensors', hash: 'h', byteCount: 100 } as Parameters<typeof checkResponse>[2]
const check = (byteStart: number, status: number, headers: Readonly<Record<string, string>>) =>
  checkResponse(new Response(null, { status, headers }), 'org/m', file, byteStart)

test.each([
  ['the part that was asked for', 10, 206, { 'content-range': 'bytes 10-99/100' }, 'rest'],
  ['a part of which the end is left to the server', 10, 206, { 'content-range': 'bytes 10-19/100' }, 'rest'],
  ['all of it from the start', 0, 200, { 'content-length': '100' }, 'rest'],
  ['all of it without a length', 0, 200, {}, 'rest'],
  ['all of it where a part was asked for', 10, 200, { 'content-length': '100' }, 'whole'],
  ['all of it where a part was asked for, without a length', 10, 200, {}, 'whole'],
] as const)('%s is taken', (_, byteStart, status, headers, taken) => {
  expect(check(byteStart, status, headers)).toBe(taken)
})

test.each([
  ['another length', 0, 200, { 'content-length': '99' }, { code: 'hub-length', issue: { found: 99, expected: 100 } }],
  [
    'a part of a file of another length',
    10,
    206,
    { 'content-range': 'bytes 10-100/101' },
    { code: 'hub-length', issue: { found: 101 } },
  ],
  ['another part', 10, 206, { 'content-range': 'bytes 11-99/100' }, { code: 'hub-answer', issue: {} }],
  [
    'the beginning in place of a part',
    10,
    206,
    { 'content-range': 'bytes 0-99/100' },
    { code: 'hub-answer', issue: {} },
  ],
  ['a part that is not told', 10, 206, {}, { code: 'hub-answer', issue: {} }],
  ['a part told in other words', 10, 206, { 'content-range': 'items 10-99/100' }, { code: 'hub-answer', issue: {} }],
] as const)('%s is refused', (_, byteStart, status, headers, error) => {
  expect(() => check(byteStart, status, headers)).toThrow(
    expect.objectContaining({ code: error.code, issue: expect.objectContaining({ id: 'org/m', ...error.issue }) }),
  )
})

describe('some bytes of a file', () => {
  const content = Uint8Array.from({ length: 100 }, (_, index) => index)
  /** Chunks that come of each request, the last one's again and again; of the whole file where the server knows no ranges. */
  async function read(answers: readonly (readonly number[])[], { knowsRanges = true, breaks = false } = {}) {
    const asked: unknown[] = []
    const open = async (...given: readonly unknown[]): Promise<Response> => {
      asked.push(given)
      const sizes = [...answers[Math.min(asked.length, answers.length) - 1]!]
      let at = knowsRanges ? 10 : 0
      const body = new ReadableStream({
        pull(controller) {
          const size = sizes.shift()
          if (size === undefined) return breaks ? controller.error(new Error('reset')) : controller.close()
          controller.enqueue(content.subarray(at, at + size))
          at += size
        },
      })
      const headers: HeadersInit = knowsRanges ? { 'content-range': 'bytes 10-99/100' } : {}
      return new Response(body, { status: knowsRanges ? 206 : 200, headers })
    }
    const remote = { client: { id: 'org/m', host: 'h', open }, commit: 'c', file } as unknown as RemoteFile
    const found = await readRange(remote, 10, 20, 1000).catch((error: unknown) => error)
    return { found, asked }
  }
  const expected = content.slice(10, 20)

  test.each([[[10]], [[4, 6]], [[1, 1, 8]], [[90]], [[9, 20]]])('come in chunks of %j', async (sizes) => {
    expect(await read([sizes])).toEqual({ found: expected, asked: [['c', 'w.safetensors', 10, 20]] })
  })

  test.each([[[100]], [[10, 10, 80]], [[9, 2, 89]], [[15, 85]], [[20]]])(
    'are cut out of a whole file in chunks of %j',
    async (sizes) => {
      expect((await read([sizes], { knowsRanges: false })).found).toEqual(expected)
    },
  )

  test('are asked for again where the connection ends early, from the start', async () => {
    const { found, asked } = await read([[4], [], [9], [10]])
    expect(found).toEqual(expected)
    expect(asked).toEqual(Array(4).fill(['c', 'w.safetensors', 10, 20]))
  })

  test.each([
    [false, 'the connection ended early'],
    [true, 'the connection failed'],
  ])('are given up after four times, with the reason (it breaks: %s)', async (breaks, reason) => {
    const { found, asked } = await read([[9]], { breaks })
    expect(found).toMatchObject({
      code: 'hub-unreachable',
      issue: { id: 'org/m', what: 'w.safetensors', reason, host: 'h' },
    })
    expect(asked).toHaveLength(4)
  })
})
