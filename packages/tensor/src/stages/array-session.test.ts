import { expect, it } from 'vitest'
import { add, createArraySession, input, mul, rank, sum } from '../index.ts'
import { createReferenceRuntime, type Program } from '../runtime/index.ts'

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
