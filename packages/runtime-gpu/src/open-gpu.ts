import { TensorError } from '@mk/tensor'
import { type GpuConstructor, type GpuJs, type GpuObject, type Loaders, loaders } from './gpu-js.ts'

/** The back ends of gpu.js, the best one first: the last two run on the CPU. */
export const gpuModes = ['webgpu', 'headlessgl', 'webgl2', 'webgl', 'webasm', 'cpu'] as const

/** A back end of gpu.js. */
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

export interface OpenGpu {
  readonly mode: GpuMode
  readonly gpu: GpuObject
}

/**
 * Loads gpu.js and opens the given back end, or the best one that works here.
 * @throws TensorError 'runtime-unavailable'
 */
export async function openGpu(wanted: GpuMode | undefined, load: Loaders = loaders): Promise<OpenGpu> {
  const library = await loadGpuJs(load)
  for (const mode of wanted === undefined ? gpuModes : [wanted]) {
    if (mode === 'webgpu') {
      const gpu = await openWebGpu(library, load)
      if (gpu !== undefined) return { mode, gpu }
    } else if (isSupported[mode](library.GPU)) return { mode, gpu: new library.GPU({ mode }) }
  }
  const mode = wanted ?? 'cpu'
  throw new TensorError({
    code: 'runtime-unavailable',
    runtime: 'gpu',
    missing: `gpu.js finds no ${mode} here`,
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

/** gpu.js looks for WebGPU at `navigator.gpu`, which Node doesn't have: it is lent one while a runtime is created. */
async function openWebGpu({ GPU, WebGPUContext }: GpuJs, load: Loaders): Promise<GpuObject | undefined> {
  let takeBack = () => {}
  try {
    // gpu.js keeps one device for all, and what that came from must live as long.
    const known = await WebGPUContext.acquire().catch(() => undefined)
    if (scope.navigator?.gpu === undefined) {
      const lent = known?.lent ?? ((await load.webgpu()) as { create(options: readonly string[]): unknown }).create([])
      takeBack = lendWebGpu(lent)
      Object.assign(await WebGPUContext.acquire(), { lent })
    } else if (known === undefined) return undefined
    return new GPU({ mode: 'webgpu' })
  } catch {
    return undefined
  } finally {
    takeBack()
  }
}

const scope = globalThis as { navigator?: { readonly gpu?: unknown } }

function lendWebGpu(gpu: unknown): () => void {
  const { navigator } = scope
  if (navigator === undefined) {
    scope.navigator = { gpu }
    return () => delete scope.navigator
  }
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  return () => Reflect.deleteProperty(navigator, 'gpu')
}
