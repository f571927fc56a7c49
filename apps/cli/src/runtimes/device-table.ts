/** Where arithmetic can be done, and how workers open the runtime for it. */
export interface Device {
  /** What `--device` takes. */
  readonly name: string
  readonly summary: string
  /** The module that workers import, and the function of it that makes the runtime. */
  readonly module: string
  readonly factory: string
  /** Opens and closes the runtime; absent where it can always be had. @throws an error with code 'runtime-unavailable' */
  readonly probe?: () => Promise<void>
}

const withFallback = '@mk/cli/runtimes-with-fallback'

/** The devices that there are; the first is the default. */
export const devices: readonly Device[] = [
  {
    name: 'wasm',
    summary: 'WebAssembly SIMD in worker threads',
    module: '@mk/runtime-wasm',
    factory: 'createWasmRuntime',
  },
  {
    name: 'reference',
    summary: 'plain TypeScript, which defines every operation',
    module: '@mk/tensor/runtime',
    factory: 'createReferenceRuntime',
  },
  {
    name: 'cuda',
    summary: 'an NVIDIA GPU, through ONNX Runtime',
    module: withFallback,
    factory: 'createCudaWithFallback',
    probe: async () => (await (await import('@mk/runtime-cuda')).createCudaRuntime()).close(),
  },
  {
    name: 'onnx-cpu',
    summary: 'what runs on CUDA, on the CPU: for testing',
    module: withFallback,
    factory: 'createOnnxCpuWithFallback',
    probe: async () => (await (await import('@mk/runtime-cuda')).createOnnxCpuRuntime()).close(),
  },
  {
    name: 'gpu',
    summary: 'the best that gpu.js finds: WebGPU, WebGL, else the CPU',
    module: withFallback,
    factory: 'createGpuWithFallback',
    probe: async () => (await (await import('@mk/runtime-gpu')).createGpuRuntime()).close(),
  },
]

/** mergekit's names for what runs where no accelerator is asked for. */
export const deviceAliases: Readonly<Record<string, string>> = { cpu: 'wasm', auto: 'wasm' }
