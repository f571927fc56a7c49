import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createInterruption } from './interruption.ts'

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
  interruption.leaveUntilTurn()
  interruption.leaveUntilTurn()
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

it('tells of the first signal by its status', () => {
  const { interruption, isTaken } = setUp()
  interruption.listen()
  interruption.enter('merging')
  process.emit('SIGTERM', 'SIGTERM')
  expect([interruption.status, interruption.signal.aborted, isTaken()]).toEqual([143, true, 0])
})
