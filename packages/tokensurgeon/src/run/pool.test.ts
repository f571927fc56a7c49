import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

// As built, since a thread can't start from source; the flags of the engine may be given to no thread.
it('threads start in a process with flags that no thread may be given', async () => {
  const text = `
const { createPool } = await import('${new URL('../../dist/run/pool.js', import.meta.url).href}')
const runtime = { name: 'reference', module: import.meta.resolve('@mk/tensor/runtime'), factory: 'createReferenceRuntime' }
const base64 = Buffer.from(Float32Array.of(1, 0, 2).buffer).toString('base64')
const source = { kind: 'values', dtype: 'F32', shape: [3, 1], base64 }
const pool = createPool({ threads: 1, runtime })
console.log(...(await pool.run({ kind: 'untrained', source, unused: Int32Array.of(1), byNorm: false })))
await pool.close()`
  const call = ['--no-deprecation', '--stack-trace-limit=20', '--input-type=module', '--eval', text]
  const { stdout } = await promisify(execFile)(process.execPath, call, { cwd: import.meta.dirname })
  expect(stdout).toBe('0 1 0\n')
})
