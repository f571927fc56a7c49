import { createRuntimeShell, type Runtime } from '@mk/tensor/runtime'
import { createArena } from './arena.ts'
import { unavailable } from './errors.ts'
import { generateModule } from './generator/generate-module.ts'
import { createKernel } from './kernel.ts'

const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20

export interface WasmRuntimeOptions {
  /**
   * Address space for all buffers of `allocate` and for what a call needs besides; 256 MiB if absent. It costs nothing
   * until it is used, and doesn't grow.
   */
  readonly memoryBytes?: number
}

/**
 * Creates a runtime whose kernels are WebAssembly modules made for their program. Several runtimes share nothing; kernels of one
 * run one at a time, synchronously.
 * @throws TensorError 'runtime-option' or 'runtime-unavailable'
 */
export function createWasmRuntime(options: WasmRuntimeOptions = {}): Runtime {
  const arena = createArena(options.memoryBytes ?? DEFAULT_MEMORY_BYTES)
  return createRuntimeShell({
    name: 'wasm',
    allocate: (byteLength) => arena.allocate(byteLength),
    async compile(program) {
      const module = await compileModule(generateModule(program, arena.pages))
      const { run } = (await WebAssembly.instantiate(module, { env: { memory: arena.memory } })).exports
      return createKernel(program, arena, run as (frame: number) => void)
    },
  })
}

async function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    throw unavailable(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
