import { expect, test } from 'vitest'
import { openRuntime } from './open-runtime.ts'
import { wasmRuntime } from './task.ts'

test('the runtime that comes with the package gets the options that are named', async () => {
  await openRuntime({ ...wasmRuntime, options: { memoryBytes: 2 ** 24 } }).then((runtime) => runtime.close())
  const refused = { code: 'runtime-option', issue: { option: 'memoryBytes', value: 7 } }
  await expect(openRuntime({ ...wasmRuntime, options: { memoryBytes: 7 } })).rejects.toMatchObject(refused)
})
