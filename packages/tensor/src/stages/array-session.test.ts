import { expect, it } from 'vitest'
import { add, createArraySession, input, mul, rank, sum } from '../index.ts'
import { createReferenceRuntime, type Program } from '../runtime/index.ts'
import { CHUNK_ELEMENTS } from './chunks.ts'

const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)

it('evaluates expressions over whole arrays', async () => {
  const session = createArraySession({
    shape: [2, 2],
    inputs: [
      { dtype: 'F32', bytes: bytes(1, 2, 3, 4) },
      { dtype: 'I8', bytes: Uint8Array.of(1, 0, 255, 2) },
    ],
  })
  expect(await session.evaluate(add(input(0), mul(input(1), 2)), 'I8')).toEqual(Uint8Array.of(3, 2, 1, 8))
  expect(await session.evaluate(rank(input(1)), 'U8')).toEqual(Uint8Array.of(1, 0, 0, 1))
  expect(await session.evaluate(3, 'U8')).toEqual(Uint8Array.of(3, 3, 3, 3))
})

it('compiles a program once, whatever its numbers', async () => {
  let compiled = 0
  const reference = createReferenceRuntime()
  const runtime = { ...reference, compile: (program: Program) => (compiled++, reference.compile(program)) }
  const session = createArraySession({ shape: [3], inputs: [{ dtype: 'F32', bytes: bytes(1, 2, 3) }], runtime })
  for (const weight of [1, 2, 3]) await session.reduce({ a: sum(mul(input(0), weight)) })
  expect(compiled).toBe(1)
})

it('rejects an input that is not as long as its shape says', () => {
  expect(() => createArraySession({ shape: [2, 2], inputs: [{ dtype: 'BF16', bytes: new Uint8Array(7) }] })).toThrow(
    'input 0 (BF16) has 7 bytes, expected 8',
  )
})

it('reads parts of a stream as they are needed, and writes parts in their order', async () => {
  const count = 3 * CHUNK_ELEMENTS + 7
  const stored = Float32Array.from({ length: count }, (_, i) => i % 1000)
  const whole = new Uint8Array(stored.buffer)
  const reads: [number, number][] = []
  const read = (byteStart: number, into: Uint8Array) => {
    reads.push([byteStart, into.length])
    into.set(whole.subarray(byteStart, byteStart + into.length))
  }
  const session = createArraySession({ shape: [count], inputs: [{ dtype: 'F32', read }] })
  const written: Uint8Array[] = []
  await session.evaluateInto(add(input(0), 1), 'U16', (byteStart, bytes) => {
    expect(byteStart).toBe(written.reduce((sum, { length }) => sum + length, 0))
    written.push(bytes.slice())
  })
  const chunk = 4 * CHUNK_ELEMENTS
  expect(reads).toEqual([
    [0, chunk],
    [chunk, chunk],
    [2 * chunk, chunk],
    [3 * chunk, 28],
  ])
  expect(written.map(({ length }) => length)).toEqual([chunk / 2, chunk / 2, chunk / 2, 14])
  const values = Uint16Array.from(written.flatMap((part) => [...new Uint16Array(part.buffer)]))
  expect(values.findIndex((each, i) => each !== (i % 1000) + 1)).toBe(-1)
})

it('reads no input that an expression does not use', async () => {
  const unread = { dtype: 'F32', read: () => Promise.reject(new Error('read')) } as const
  const session = createArraySession({ shape: [2], inputs: [unread, { dtype: 'F32', bytes: bytes(1, 2) }] })
  expect(await session.evaluate(input(1), 'U8')).toEqual(Uint8Array.of(1, 2))
  await expect(session.evaluate(input(0), 'U8')).rejects.toThrow('read')
})

it('ends with the reason of a signal that has fired', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const session = createArraySession({ shape: [2], inputs: [{ dtype: 'F32', bytes: bytes(1, 2) }], signal })
  expect(await session.evaluate(input(0), 'U8')).toEqual(Uint8Array.of(1, 2))
  controller.abort(new Error('enough'))
  await expect(session.evaluate(input(0), 'U8')).rejects.toThrow('enough')
  await expect(session.reduce({ a: sum(input(0)) })).rejects.toThrow('enough')
})
