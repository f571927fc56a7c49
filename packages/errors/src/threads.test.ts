import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

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
