import { expect, it } from 'vitest'
import { devices } from './device-table.ts'
import { findRuntime } from './find-runtime.ts'

it.each(devices.map(({ name }) => name))('%s can be created', async (name) => {
  const { module, factory } = findRuntime(name)
  expect(await import(module)).toHaveProperty(factory, expect.any(Function))
})

it.each(['cpu', 'auto'])("mergekit's %s is the default", (name) =>
  expect(findRuntime(name)).toEqual(findRuntime('wasm')),
)

it('names the devices there are', () => {
  expect(() => findRuntime('tpu')).toThrow(`--device tpu: there is no device 'tpu'; use wasm`)
})
