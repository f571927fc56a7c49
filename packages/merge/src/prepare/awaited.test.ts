import type { Checkpoint } from '@mk/checkpoint'
import { expect, test } from 'vitest'
import { awaitedOf, listAwaited } from './awaited.ts'

const model = (path: string, of: object) => ({ reference: { path, adapters: [] }, ...of }) as unknown as Checkpoint

test('models are awaited whose weights have bytes that are yet to come', () => {
  const models = [
    model('a', {}),
    model('b', { downloadBytes: 0 }),
    model('c', { downloadBytes: 1, hub: { id: 'org/c', commit: 'c' } }),
    model('d', { downloadBytes: 2 }),
  ]
  expect(awaitedOf(models)).toEqual(models.slice(2))
  expect(listAwaited(models)).toEqual([
    { id: 'org/c', byteCount: 1 },
    { id: 'd', byteCount: 2 },
  ])
})
