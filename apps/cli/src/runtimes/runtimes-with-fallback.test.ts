import { input, neg, sqrt, TensorError } from '@mk/tensor'
import { createReferenceRuntime, lower } from '@mk/tensor/runtime'
import { afterEach, expect, it, vi } from 'vitest'
import { compose } from './runtimes-with-fallback.ts'
import { findRuntime } from './find-runtime.ts'

const programs = [neg, sqrt].map(
  (operation) => lower({ stores: [{ value: operation(input(0)), dtype: 'F32' }] }, ['F32']).program,
)
const primary = async () => ({
  ...createReferenceRuntime(),
  compile: () => Promise.reject(new TensorError({ code: 'unsupported-program', runtime: 'simple', what: 'anything' })),
})

const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
afterEach(() => write.mockClear())

it('falls back to WebAssembly, which one of all workers says once if it is to', async () => {
  const { options } = findRuntime('onnx-cpu', { verbose: true })
  const workers = await Promise.all([compose(primary(), options!), compose(primary(), options!)])
  for (const runtime of workers)
    for (const program of programs) expect(await runtime.compile(program)).toHaveProperty('run')
  expect(write.mock.calls).toEqual([['note: runtime simple does not support anything; such programs run on wasm\n']])
  await Promise.all(workers.map((runtime) => runtime.close()))
})

it('says nothing of it else', async () => {
  const runtime = await compose(primary(), findRuntime('onnx-cpu').options ?? {})
  await runtime.compile(programs[0]!)
  expect(write).not.toHaveBeenCalled()
  await runtime.close()
})
