import { TensorError } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { type GpuMode, gpuModes, openGpu } from './open-gpu.ts'
import { createSoftwareDevice } from './webgpu/__fixtures__/software-device.ts'
import type { WebGpu } from './webgpu/web-gpu.ts'

const notInstalled = async () => {
  throw Object.assign(new Error("Cannot find package 'x'"), { code: 'ERR_MODULE_NOT_FOUND' })
}
const gpuJs = (found: Partial<Record<'headlessgl' | 'webgl2' | 'webgl' | 'webasm', boolean>>) => async () => ({
  default: {
    GPU: class {
      mode: string
      static readonly isHeadlessGLSupported = found.headlessgl === true
      static readonly isWebGL2Supported = found.webgl2 === true
      static readonly isWebGLSupported = found.webgl === true
      static readonly isWebAssemblySupported = found.webasm === true
      constructor({ mode }: { mode: string }) {
        this.mode = mode
      }
    },
  },
})
const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 31 }
/** WebGPU that has an adapter, or none. */
const webGpu = (hasAdapter: boolean): WebGpu => ({
  requestAdapter: async () =>
    hasAdapter
      ? {
          limits,
          async requestDevice({ requiredLimits }) {
            expect(requiredLimits).toEqual(limits)
            return createSoftwareDevice()
          },
        }
      : null,
})
const webgpu = (hasAdapter: boolean) => async () => ({ create: () => webGpu(hasAdapter) })
const scope = globalThis as { navigator?: { gpu?: unknown } }

describe('the back end', () => {
  it('is WebGPU where there is an adapter, whether gpu.js is installed or not', async () => {
    const { gpu, mode } = await openGpu(undefined, { gpuJs: notInstalled, webgpu: webgpu(true) })
    expect(mode).toBe('webgpu')
    await gpu.destroy()
  })

  it('is the WebGPU of a browser, where the package is not needed', async () => {
    const before = Object.getOwnPropertyDescriptor(scope, 'navigator')
    try {
      Object.defineProperty(scope, 'navigator', { value: { gpu: webGpu(true) }, configurable: true, writable: true })
      expect((await openGpu(undefined, { gpuJs: notInstalled, webgpu: notInstalled })).mode).toBe('webgpu')
    } finally {
      if (before === undefined) delete scope.navigator
      else Object.defineProperty(scope, 'navigator', before)
    }
  })

  it.each([
    [{ headlessgl: true, webgl2: true, webasm: true }, 'headlessgl'],
    [{ webgl2: true, webgl: true, webasm: true }, 'webgl2'],
    [{ webgl: true, webasm: true }, 'webgl'],
    [{ webasm: true }, 'webasm'],
    [{}, 'cpu'],
  ] as const)('of %j is %s', async (found, mode) => {
    const opened = await openGpu(undefined, { gpuJs: gpuJs(found), webgpu: webgpu(false) })
    expect(opened).toEqual({ mode, gpu: { mode } })
  })

  it('is the given one', async () => {
    expect((await openGpu('webgl', { gpuJs: gpuJs({ webgl: true }), webgpu: webgpu(true) })).mode).toBe('webgl')
  })

  it('is one of those of the real gpu.js on this machine', async () => {
    const { gpu, mode } = await openGpu(undefined)
    expect(gpuModes).toContain(mode)
    await gpu.destroy()
  })

  it('may be another one where webgpu is not installed', async () => {
    expect((await openGpu(undefined, { gpuJs: gpuJs({ webasm: true }), webgpu: notInstalled })).mode).toBe('webasm')
  })
})

describe('runtime-unavailable', () => {
  it('says in one line that gpu.js is not installed', async () => {
    const error = await openGpu(undefined, { webgpu: notInstalled, gpuJs: notInstalled }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(TensorError)
    expect(error).toMatchObject({
      code: 'runtime-unavailable',
      message: expect.stringMatching(
        /gpu\.js cannot be loaded; install it with `npm install gpu\.js webgpu`, in a clone of mk with `npm run gpu`$/,
      ) as string,
    })
  })

  it.each(['webgpu', 'headlessgl', 'webgl2', 'webgl', 'webasm'] satisfies GpuMode[])(
    'says what %s needs',
    async (mode) => {
      const message = await openGpu(mode, { gpuJs: gpuJs({}), webgpu: notInstalled }).catch(
        ({ message }: Error) => message,
      )
      expect(message).toMatch(
        new RegExp(
          `^the gpu runtime cannot run here: (gpu.js finds no ${mode}|there is no WebGPU) here; .*choose another mode$`,
        ),
      )
    },
  )
})
