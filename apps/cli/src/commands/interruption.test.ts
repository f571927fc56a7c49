import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createInterruption, type Interruption } from './interruption.ts'

function setUp() {
  const before = process.listenerCount('SIGINT')
  const interruption = createInterruption()
  onTestFinished(() => interruption.release())
  return { interruption, isTaken: () => process.listenerCount('SIGINT') - before }
}

it('takes signals over until it is released', () => {
  const { interruption, isTaken } = setUp()
  expect(isTaken()).toBe(0)
  interruption.listen()
  expect(isTaken()).toBe(1)
  interruption.release()
  expect(isTaken()).toBe(0)
})

it('leaves them to the system while the event loop can not turn, as where a plan is made', async () => {
  const { interruption, isTaken } = setUp()
  interruption.listen()
  await interruption.leaveUntilTurn()
  await interruption.leaveUntilTurn()
  expect(isTaken()).toBe(0)
  await setImmediate()
  expect(isTaken()).toBe(1)
})

it('leaves them to the system while code of a user is loaded, also where that fails', async () => {
  const { interruption, isTaken } = setUp()
  interruption.listen()
  await expect(
    interruption.leaveWhile(async () => {
      expect(isTaken()).toBe(0)
      await setImmediate()
      throw new Error('mine')
    }),
  ).rejects.toThrow('mine')
  expect(isTaken()).toBe(1)
})

describe.skipIf(process.platform === 'win32')('a signal that has come when they are left to the system', () => {
  type Leave = (interruption: Interruption, work: () => Promise<void>) => Promise<void>
  const ways: readonly (readonly [string, Leave])[] = [
    ['while something runs', (interruption, work) => interruption.leaveWhile(work)],
    ['until the event loop turns', (interruption, work) => interruption.leaveUntilTurn().then(work)],
    ['until the event loop has had some rest', (interruption, work) => interruption.leaveUntilIdle().then(work)],
  ]
  it.each(ways)('is not lost: nothing is begun (%s)', async (_, leave) => {
    const { interruption } = setUp()
    interruption.listen()
    interruption.enter('merging')
    const work = vi.fn<() => Promise<void>>(async () => {})
    // Right from an event of the loop, whose turn would be over before the signal is told.
    await readFile(import.meta.filename)
    process.kill(process.pid, 'SIGTERM')
    await expect(leave(interruption, work)).rejects.toThrow('interrupted')
    expect([interruption.status, work.mock.calls.length]).toEqual([143, 0])
  })
})

it.skipIf(process.platform === 'win32')(
  'a signal that has come when they are to be taken over again is not lost',
  async () => {
    const { interruption, isTaken } = setUp()
    interruption.listen()
    // Else it would end the process of the tests a moment later.
    interruption.enter('merging')
    await readFile(import.meta.filename)
    process.kill(process.pid, 'SIGTERM')
    interruption.listen()
    expect(isTaken()).toBe(1)
    await vi.waitFor(() => expect(interruption.status).toBe(143))
  },
)

it('tells of the first signal by its status', () => {
  const { interruption, isTaken } = setUp()
  interruption.listen()
  interruption.enter('merging')
  process.emit('SIGTERM', 'SIGTERM')
  expect([interruption.status, interruption.signal.aborted, isTaken()]).toEqual([143, true, 0])
})
