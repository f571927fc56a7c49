import { expect, it } from 'vitest'
import type { OnnxSession } from './onnx-runtime.ts'
import { createSessionPool } from './session-pool.ts'

function opener() {
  const open: string[] = []
  const create = async (model: Uint8Array): Promise<OnnxSession> => {
    const name = String(model[0])
    open.push(name)
    return { run: async () => ({}), release: async () => void open.splice(open.indexOf(name), 1) }
  }
  return { open, create }
}

it('keeps the sessions that were used last, and opens others again', async () => {
  const { open, create } = opener()
  const pool = createSessionPool(create, 2)
  const [a, b, c] = [1, 2, 3].map((name) => Uint8Array.of(name)) as [Uint8Array, Uint8Array, Uint8Array]
  const first = await pool.open(a)
  await pool.open(b)
  expect(await pool.open(a)).toBe(first)
  await pool.open(c)
  expect(open).toEqual(['1', '3'])
  await pool.open(b)
  expect(open).toEqual(['3', '2'])
  await pool.close()
  expect(open).toEqual([])
})

it('has nothing of a session that could not be opened', async () => {
  const { open, create } = opener()
  const pool = createSessionPool(
    async (model) => (model[0] === 9 ? Promise.reject(new Error('no such operator')) : create(model)),
    1,
  )
  await pool.open(Uint8Array.of(1))
  await expect(pool.open(Uint8Array.of(9))).rejects.toThrow('no such operator')
  await pool.open(Uint8Array.of(2))
  expect(open).toEqual(['2'])
  await pool.close()
})
