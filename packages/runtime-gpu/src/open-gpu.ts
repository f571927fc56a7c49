import { TensorError } from '@mk/tensor'
import { type GpuConstructor, type GpuJs, type GpuObject, type Loaders, loaders } from './gpu-js.ts'
import { createWebGpu, openDevice, type WebGpuObject } from './webgpu/create-webgpu.ts'
import type { WebGpu } from './webgpu/web-gpu.ts'

/** The back ends, the best one first: WebGPU, and those of gpu.js, of which the last two run on the CPU. */
export const gpuModes = ['webgpu', 'headlessgl', 'webgl2', 'webgl', 'webasm', 'cpu'] as const

/** What runs the kernels. */
export type GpuMode = (typeof gpuModes)[number]

const isSupported: Record<Exclude<GpuMode, 'webgpu'>, (gpu: GpuConstructor) => boolean> = {
  headlessgl: (gpu) => gpu.isHeadlessGLSupported,
  webgl2: (gpu) => gpu.isWebGL2Supported,
  webgl: (gpu) => gpu.isWebGLSupported,
  webasm: (gpu) => gpu.isWebAssemblySupported,
  cpu: () => true,
}

const remedies: Record<GpuMode, string> = {
  webgpu: 'install the npm package webgpu and a driver for Vulkan, Metal or Direct3D 12, or choose another mode',
  headlessgl: 'install the npm package gl, which needs an X server, or choose another mode',
  webgl2: 'it needs a browser with WebGL 2; choose another mode',
  webgl: 'it needs a browser with WebGL; choose another mode',
  webasm: 'it needs an engine with WebAssembly; choose another mode',
  cpu: 'choose another mode',
}

/** A back end that works here: WebGPU by this package itself, the others by gpu.js. */
export type OpenGpu =
  | { readonly mode: 'webgpu'; readonly gpu: WebGpuObject }
  | { readonly mode: Exclude<GpuMode, 'webgpu'>; readonly gpu: GpuObject }

/**
 * Opens the given back end, or the best one that works here.
 * @throws TensorError 'runtime-unavailable'
 */
export async function openGpu(wanted: GpuMode | undefined, load: Loaders = loaders): Promise<OpenGpu> {
  for (const mode of wanted === undefined ? gpuModes : [wanted]) {
    if (mode === 'webgpu') {
      const gpu = await openWebGpu(load)
      if (gpu !== undefined) return { mode, gpu }
      continue
    }
    const { GPU } = await loadGpuJs(load)
    if (isSupported[mode](GPU)) return { mode, gpu: new GPU({ mode }) }
  }
  const mode = wanted ?? 'cpu'
  throw new TensorError({
    code: 'runtime-unavailable',
    runtime: 'gpu',
    missing: mode === 'webgpu' ? 'there is no WebGPU here' : `gpu.js finds no ${mode} here`,
    remedy: remedies[mode],
  })
}

async function loadGpuJs(load: Loaders): Promise<GpuJs> {
  try {
    const module = (await load.gpuJs()) as GpuJs & { readonly default?: GpuJs }
    return module.default ?? module
  } catch (cause) {
    throw new TensorError(
      {
        code: 'runtime-unavailable',
        runtime: 'gpu',
        missing: 'the npm package gpu.js cannot be loaded',
        remedy: 'install it with `npm install gpu.js webgpu`, in a clone of mk with `npm run gpu`',
      },
      { cause },
    )
  }
}

/** In a browser WebGPU is at `navigator.gpu`; in Node the package webgpu brings it. */
async function openWebGpu(load: Loaders): Promise<WebGpuObject | undefined> {
  try {
    const webgpu =
      scope.navigator?.gpu ?? ((await load.webgpu()) as { create(options: readonly string[]): WebGpu }).create([])
    const device = await openDevice(webgpu)
    return device && createWebGpu(device, webgpu)
  } catch {
    return undefined
  }
}

const scope = globalThis as { navigator?: { readonly gpu?: WebGpu } }
