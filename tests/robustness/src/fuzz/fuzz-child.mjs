// One target, in a process of its own: inputs are made and checked until the time or their number is up.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultOfError } from '../own-error.mjs'
import { createRandom } from '../random.mjs'
import { BrokenPromise } from './broken-promise.mjs'
import { limits } from './limits.mjs'
import { targets } from './targets/index.mjs'

/** @type {{ target: string, seed: string, from: number, to: number, seconds: number, work: string, corpus: readonly string[] }} */
const { target: name, seed, from, to, seconds, work, corpus } = JSON.parse(process.env.FUZZ_TASK)
const target = targets.get(name)
const outside = join(work, 'outside')
const folder = join(work, 'inside', 'folder')
mkdirSync(folder, { recursive: true })
mkdirSync(outside, { recursive: true })
const current = join(work, 'current')
const { make, check, close } = await target.open({ folder, outside })
const startedAt = performance.now()
let accepted = 0
let refused = 0

for (const file of corpus) await tryInput(file, readFileSync(file))
for (let index = from; index < to && performance.now() - startedAt < seconds * 1000; index++)
  await tryInput(index, Buffer.from(make(createRandom(`${name}/${seed}/${index}`))))
process.send({ accepted, refused, isDone: true })
await close?.()
process.disconnect()

async function tryInput(at, input) {
  writeFileSync(current, input)
  process.send({ at, accepted, refused })
  accepted = refused = 0
  const before = { ...process.resourceUsage(), ms: performance.now() }
  const fault = await faultOf(input)
  const after = process.resourceUsage()
  const cpuMs = (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1000
  const ms = Math.min(performance.now() - before.ms, cpuMs)
  const megabytes = (after.maxRSS - before.maxRSS) / 1024
  const faults = [
    fault,
    ms > limits.ms && 'took over 5 s',
    megabytes > limits.megabytes && 'took over 500 MB',
    writtenOutside(),
  ]
  for (const what of faults)
    if (typeof what === 'string') process.send({ finding: { at, what, input: input.toString('base64') } })
}

async function faultOf(input) {
  try {
    await check(input)
    accepted++
    return undefined
  } catch (error) {
    refused++
    return error instanceof BrokenPromise ? error.message : faultOfError(error)
  }
}

function writtenOutside() {
  const strangers = [
    ...readdirSync(work)
      .filter((entry) => !['inside', 'outside', 'current'].includes(entry))
      .map((entry) => join(work, entry)),
    ...readdirSync(join(work, 'inside'))
      .filter((entry) => entry !== 'folder')
      .map((entry) => join(work, 'inside', entry)),
    ...readdirSync(outside).map((entry) => join(outside, entry)),
  ]
  for (const path of strangers) rmSync(path, { recursive: true })
  return strangers.length > 0 && 'something was written outside of its folder'
}
