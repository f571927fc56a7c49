import { expect, test, vi } from 'vitest'
import { limits } from '../limits.ts'
import { readAnswer, readBody } from './response-body.ts'

const asked = { id: 'org/a', what: 'list', host: 'h', stallMs: 20, signal: undefined }
const streamed = (...chunks: readonly Uint8Array[]) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      },
    }),
  )

test('a body is read to its end, and none has none', async () => {
  const body = readBody(streamed(Uint8Array.of(1), Uint8Array.of(2, 3)), 1000)
  expect([await body.next(), await body.next(), await body.next()]).toEqual([
    Uint8Array.of(1),
    Uint8Array.of(2, 3),
    undefined,
  ])
  const none = readBody(new Response(null), 1000)
  expect(await none.next()).toBeUndefined()
  expect(await none.cancel()).toBeUndefined()
})

test('a body that delivers nothing for too long is given up, and no timer is left', async () => {
  const clear = vi.spyOn(globalThis, 'clearTimeout')
  const body = readBody(new Response(new ReadableStream({})), 5)
  await expect(body.next()).rejects.toThrow('no answer in time')
  expect(clear).toHaveBeenCalledTimes(1)
  clear.mockRestore()
  await body.cancel()
})

test('a body is canceled, also one that failed', async () => {
  let isCanceled = false
  const body = readBody(new Response(new ReadableStream({ cancel: () => void (isCanceled = true) })), 5)
  await body.cancel()
  expect(isCanceled).toBe(true)
  const failing = readBody(new Response(new ReadableStream({ start: (it) => it.error(new Error('reset')) })), 5)
  expect(await failing.cancel()).toBeUndefined()
})

test('an answer is put together, up to as much as is borne', async () => {
  expect(await readAnswer(streamed(Uint8Array.of(1), Uint8Array.of(2, 3)), asked)).toEqual(Uint8Array.of(1, 2, 3))
  const half = new Uint8Array(limits.hubAnswerBytes / 2)
  expect((await readAnswer(streamed(half, half), asked)).length).toBe(limits.hubAnswerBytes)
  await expect(readAnswer(streamed(half, half, Uint8Array.of(1)), asked)).rejects.toMatchObject({
    code: 'hub-answer',
    issue: { id: 'org/a', problem: `the list has more than ${limits.hubAnswerBytes} bytes` },
  })
})

test('an answer that breaks off is told, unless it was ended', async () => {
  const broken = () => new Response(new ReadableStream({ start: (it) => it.error(new Error('reset')) }))
  await expect(readAnswer(broken(), asked)).rejects.toMatchObject({
    code: 'hub-unreachable',
    issue: { id: 'org/a', what: 'list', host: 'h', reason: 'the connection failed' },
  })
  const signal = AbortSignal.abort('enough')
  await expect(readAnswer(broken(), { ...asked, signal })).rejects.toBe('enough')
})
