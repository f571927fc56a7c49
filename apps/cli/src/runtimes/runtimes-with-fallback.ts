import {
  createCudaRuntime,
  createOnnxCpuRuntime,
  type CudaRuntimeOptions,
  type OnnxRuntimeOptions,
} from '@mk/runtime-cuda'
import { createGpuRuntime, type GpuRuntimeOptions } from '@mk/runtime-gpu'
import { createWasmRuntime } from '@mk/runtime-wasm'
import { type Runtime, withFallback } from '@mk/tensor/runtime'

// Runtimes that workers open by name: each leaves the programs that it lacks to WebAssembly, and the reference lacks none.
export { createReferenceRuntime } from '@mk/tensor/runtime'

/** How runtimes say that another one took over what they can't do. */
export interface FallbackOptions {
  /** One shared number, 0 at first, that lets one of all workers say that a fallback happened; absent: none says so. */
  readonly announced?: Int32Array
}

/** Creates the runtime of `--device cuda`. @throws an error with code 'runtime-unavailable' */
export const createCudaWithFallback = (options: CudaRuntimeOptions & FallbackOptions = {}): Promise<Runtime> =>
  compose(createCudaRuntime(options), options)

/** Creates the runtime of `--device onnx-cpu`. @throws an error with code 'runtime-unavailable' */
export const createOnnxCpuWithFallback = (options: OnnxRuntimeOptions & FallbackOptions = {}): Promise<Runtime> =>
  compose(createOnnxCpuRuntime(options), options)

/** Creates the runtime of `--device gpu`. @throws an error with code 'runtime-unavailable' */
export const createGpuWithFallback = (options: GpuRuntimeOptions & FallbackOptions = {}): Promise<Runtime> =>
  compose(createGpuRuntime(options), options)

/** Address space only: a fallback copies whole calls, which may be long. */
const fallbackBytes = 2 ** 30

/** Puts WebAssembly behind a runtime for what that lacks; the result owns both. */
export async function compose(primary: Promise<Runtime>, { announced }: FallbackOptions): Promise<Runtime> {
  return withFallback(await primary, createWasmRuntime({ memoryBytes: fallbackBytes }), (reason) => {
    if (announced !== undefined && Atomics.exchange(announced, 0, 1) === 0)
      process.stderr.write(`note: ${reason.message}; such programs run on wasm\n`)
  })
}
