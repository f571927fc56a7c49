import { expect, it } from 'vitest'
import { findRuntime, runtimes } from './runtimes.ts'

it.each([...runtimes.keys()])('%s can be created', async (name) => {
  const { module, factory } = findRuntime(name)
  expect(await import(module)).toHaveProperty(factory, expect.any(Function))
})

it.each(['cpu', 'auto'])("mergekit's %s is the default", (name) => expect(findRuntime(name)).toBe(findRuntime('wasm')))

it('names the devices there are', () => {
  expect(() => findRuntime('tpu')).toThrow(`--device tpu: there is no device 'tpu'; use wasm`)
})
