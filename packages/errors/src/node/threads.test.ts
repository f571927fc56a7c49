import { execFile } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { abortable, startTaskThread } from './threads.ts'

/** The flags of a thread that a process with these flags starts. */
async function flagsOfThread(...flags: readonly string[]): Promise<string[]> {
  const text = `
import('@mk/errors/threads').then(async ({ withProcessFlags }) => {
  const { Worker } = await import('node:worker_threads')
  const told = "require('node:worker_threads').parentPort.postMessage(process.execArgv)"
  const thread = withProcessFlags((flags) => new Worker(told, { eval: true, ...flags }))
  const found = await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
  console.log(JSON.stringify(found.filter((flag) => flag.startsWith('--') && flag !== '--eval')))
})`
  const call = [...flags, '--eval', text]
  return JSON.parse((await promisify(execFile)(process.execPath, call, { cwd: import.meta.dirname })).stdout)
}

// The engine's flags hold for all threads, and none may be given them by name.
const ofEngine = '--stack-trace-limit=20'

it('gives a thread all flags of the process, as a thread without options has them', async () => {
  expect(await flagsOfThread('--no-deprecation', ofEngine)).toEqual(['--no-deprecation', ofEngine])
})

it('leaves out what is for the main script only', async () => {
  expect(await flagsOfThread('--no-deprecation', '--input-type=module')).toEqual(['--no-deprecation'])
})

it('starts a thread without flags where Node refuses one that is beside such a flag', async () => {
  expect(await flagsOfThread(ofEngine, '--input-type=module')).toEqual([])
})

const served = new URL('../../dist/node/threads.js', import.meta.url).href

/** A thread that does tasks: gives the double of a number, fails at 0 and ends at −1. */
const startDoubling = () =>
  startTaskThread<number, number>(
    (flags) =>
      new Worker(
        `import('${served}').then(({ serveTasks }) => serveTasks(require('node:worker_threads').parentPort, async (task) => {
  if (task === 0) throw Object.assign(new RangeError('nothing to double'), { code: 'mine' })
  if (task === -1) process.exit(3)
  if (task === -2) setImmediate(() => { throw new Error('later') })
  if (task < 0) return new Promise(() => {})
  return 2 * task
}))`,
        { ...flags, eval: true },
      ),
    (reason, cause) => new Error(`ended: ${reason}`, { cause }),
  )

describe('a thread for tasks', () => {
  it('gives what they give, or throws what they throw, and goes on', async () => {
    const { run, close } = startDoubling()
    expect(await run(2)).toBe(4)
    await expect(run(0)).rejects.toMatchObject({ name: 'RangeError', message: 'nothing to double' })
    expect(await run(3)).toBe(6)
    await close()
  })

  it.each([
    [-1, 'ended: its exit status was 3'],
    [-2, 'ended: later'],
  ])('that ends at task %d fails it and all after it', async (task, message) => {
    const { run, close } = startDoubling()
    await expect(run(task)).rejects.toThrow(message)
    await expect(run(1)).rejects.toThrow(message)
    await close()
  })
})

describe('work that may be broken off', () => {
  it('is what it is without a signal, and before it fires', async () => {
    expect(await abortable(Promise.resolve(1), undefined)).toBe(1)
    expect(await abortable(Promise.resolve(1), new AbortController().signal)).toBe(1)
    await expect(abortable(Promise.reject(new Error('mine')), new AbortController().signal)).rejects.toThrow('mine')
  })

  it('is not waited for once the signal fires', async () => {
    const controller = new AbortController()
    const waiting = abortable(new Promise(() => {}), controller.signal)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it('leaves no listener behind', async () => {
    const { signal } = new AbortController()
    await abortable(Promise.resolve(1), signal)
    await new Promise((resolve) => setImmediate(resolve))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
