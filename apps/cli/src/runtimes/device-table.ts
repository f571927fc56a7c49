/** Where arithmetic can be done, and how workers open the runtime for it. */
export interface Device {
  /** What `--device` takes. */
  readonly name: string
  readonly summary: string
  /** The module that workers import; absent: what computes comes with them. */
  readonly module?: string
  /** The function that makes the runtime. */
  readonly factory: string
  /** What may stand behind the name and a colon: the back end to take. */
  readonly modes?: readonly string[]
  /**
   * Finds out whether the runtime works here; absent where it can always be had.
   * @param mode the back end to take
   * @returns what it found, as an option of the factory
   * @throws an error with code 'runtime-unavailable'
   */
  readonly probe?: (mode: string | undefined) => Promise<{ readonly mode: string } | void>
}

/** Of this package, which those of the other commands find, too. */
const module = '@mk/cli/runtimes-with-fallback'

/** The devices that there are; the first is the default. */
export const devices: readonly Device[] = [
  {
    name: 'wasm',
    summary: 'WebAssembly SIMD in worker threads',
    factory: 'createWasmRuntime',
  },
  {
    name: 'reference',
    summary: 'plain TypeScript, which defines every operation',
    module,
    factory: 'createReferenceRuntime',
  },
  {
    name: 'cuda',
    summary: 'an NVIDIA GPU, through ONNX Runtime',
    module,
    factory: 'createCudaWithFallback',
    probe: async () => (await (await import('@mk/runtime-cuda')).createCudaRuntime()).close(),
  },
  {
    name: 'onnx-cpu',
    summary: 'what runs on CUDA, on the CPU: for testing',
    module,
    factory: 'createOnnxCpuWithFallback',
    probe: async () => (await (await import('@mk/runtime-cuda')).createOnnxCpuRuntime()).close(),
  },
  {
    name: 'gpu',
    summary: 'a GPU through WebGPU, or WebGL by gpu.js; gpu:webasm and gpu:cpu run gpu.js on the CPU',
    module,
    factory: 'createGpuWithFallback',
    modes: ['webgpu', 'headlessgl', 'webgl2', 'webgl', 'webasm', 'cpu'],
    probe: async (mode) => (await import('./probe-gpu.ts')).probeGpu(mode),
  },
]

/** mergekit's names for what runs where no accelerator is asked for. */
export const deviceAliases: Readonly<Record<string, string>> = { cpu: 'wasm', auto: 'wasm' }
