import { TensorError } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { loaders } from './gpu-js.ts'
import { type GpuMode, gpuModes, openGpu } from './open-gpu.ts'

const notInstalled = async () => {
  throw Object.assign(new Error("Cannot find package 'x'"), { code: 'ERR_MODULE_NOT_FOUND' })
}
const gpuJs =
  (found: Partial<Record<'headlessgl' | 'webgl2' | 'webgl' | 'webasm' | 'webgpu', boolean>>) => async () => ({
    default: {
      WebGPUContext: {
        acquire: () =>
          found.webgpu === true && hasWebGpu() ? Promise.resolve({}) : Promise.reject(new Error('no adapter')),
      },
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
const webgpu = async () => ({ create: () => ({}) })
const scope = globalThis as { navigator?: { gpu?: unknown } }
const hasWebGpu = () => scope.navigator?.gpu !== undefined

describe('the back end', () => {
  it.each([
    [{ webgpu: true, webgl2: true, webasm: true }, 'webgpu'],
    [{ headlessgl: true, webgl2: true, webasm: true }, 'headlessgl'],
    [{ webgl2: true, webgl: true, webasm: true }, 'webgl2'],
    [{ webgl: true, webasm: true }, 'webgl'],
    [{ webasm: true }, 'webasm'],
    [{}, 'cpu'],
  ] as const)('of %j is %s', async (found, mode) => {
    const opened = await openGpu(undefined, { gpuJs: gpuJs(found), webgpu })
    expect(opened).toEqual({ mode, gpu: { mode } })
  })

  it('is the given one', async () => {
    expect((await openGpu('webgl', { gpuJs: gpuJs({ webgpu: true, webgl: true }), webgpu })).mode).toBe('webgl')
  })

  it('is one of those of the real gpu.js on this machine', async () => {
    const { gpu, mode } = await openGpu(undefined)
    expect(gpuModes).toContain(mode)
    await gpu.destroy()
  })

  it('may be another one where webgpu is not installed', async () => {
    expect(
      (await openGpu(undefined, { gpuJs: gpuJs({ webgpu: true, webasm: true }), webgpu: notInstalled })).mode,
    ).toBe('webasm')
  })

  it('sees a navigator.gpu that is gone afterwards, whether there is a navigator or not', async () => {
    const before = Object.getOwnPropertyDescriptor(scope, 'navigator')
    for (const navigator of [undefined, {}]) {
      Object.defineProperty(scope, 'navigator', { value: navigator, configurable: true, writable: true })
      for (const found of [{ webgpu: true }, {}]) {
        await openGpu(undefined, { gpuJs: gpuJs(found), webgpu })
        expect(scope.navigator).toEqual(navigator)
      }
    }
    if (before === undefined) delete scope.navigator
    else Object.defineProperty(scope, 'navigator', before)
  })
})

describe('runtime-unavailable', () => {
  it('says in one line that gpu.js is not installed', async () => {
    const error = await openGpu(undefined, { ...loaders, gpuJs: notInstalled }).catch((thrown: unknown) => thrown)
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
        new RegExp(`^the gpu runtime cannot run here: gpu.js finds no ${mode} here; .*choose another mode$`),
      )
    },
  )
})
