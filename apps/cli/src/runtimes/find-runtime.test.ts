import { expect, it } from 'vitest'
import { devices } from './device-table.ts'
import { checkRuntime, findRuntime, listRuntimes } from './find-runtime.ts'

it.each(devices.map(({ name }) => name))('%s can be created', async (name) => {
  const { module = '@mk/runtime-wasm', factory } = findRuntime(name)
  expect(await import(module)).toHaveProperty(factory, expect.any(Function))
})

it.each(['cpu', 'auto'])("mergekit's %s is the default", (name) =>
  expect(findRuntime(name)).toEqual(findRuntime('wasm')),
)

it('names the devices there are', () => {
  expect(() => findRuntime('tpu')).toThrow(`--device tpu: there is no device 'tpu'; use wasm`)
})

it('takes the back end behind a colon', () => {
  expect(findRuntime('gpu:webasm')).toMatchObject({ name: 'gpu', options: { mode: 'webasm' } })
  expect(() => findRuntime('gpu:vulkan')).toThrow(`there is no device 'gpu:vulkan'; use gpu:webgpu`)
  expect(() => findRuntime('wasm:fast')).toThrow(`there is no device 'wasm:fast'; use wasm`)
})

it('opens a back end that was named', async () => {
  const named = await checkRuntime('gpu:webasm', findRuntime('gpu:webasm'))
  expect(named.options).toEqual({ mode: 'webasm' })
})

const gpu = (await listRuntimes()).find(({ name }) => name === 'gpu')!

it.skipIf(gpu.available)('takes none for a GPU that is none', async () => {
  expect(gpu.problem).toMatch(/finds no GPU; .*gpu:webasm/)
  await expect(checkRuntime('gpu', findRuntime('gpu'))).rejects.toMatchObject({
    code: 'device-unavailable',
    fault: 'usage',
  })
})
