import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

// As built, since a thread can't start from source; the flags of the engine may be given to no thread.
it('threads start in a process with flags that no thread may be given', async () => {
  const text = `
const { decomposeAll } = await import('${new URL('../../dist/run/pool.js', import.meta.url).href}')
const base64 = (values) => Buffer.from(Float32Array.from(values).buffer).toString('base64')
const source = (values) => ({ kind: 'values', dtype: 'F32', shape: [2, 2], base64: base64(values) })
const task = { tensor: 'w', fine: source([2, 0, 0, 1]), base: source([0, 0, 0, 1]), transposed: false, maxRank: 1,
  distributeScale: false, svEpsilon: 0, energy: undefined, seed: 0, dtype: 'F32' }
await decomposeAll([task], { threads: 1, cacheBytes: 2 ** 20 }, async (_, { rank, squaredNorm }) => console.log(rank, squaredNorm))`
  const call = ['--no-deprecation', '--stack-trace-limit=20', '--input-type=module', '--eval', text]
  expect((await promisify(execFile)(process.execPath, call)).stdout).toBe('1 4\n')
})
