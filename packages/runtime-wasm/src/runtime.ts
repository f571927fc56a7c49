import { checkProgram, type Kernel, type Program, programKey, type Runtime } from '@mk/tensor/runtime'
import { createArena } from './arena.ts'
import { RuntimeWasmError } from './errors.ts'
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
 * A runtime whose kernels are WebAssembly modules made for their program. Several runtimes share nothing; kernels of one
 * run one at a time, synchronously.
 * @throws RuntimeWasmError 'memory-size' or 'engine'
 */
export function createWasmRuntime(options: WasmRuntimeOptions = {}): Runtime {
  const arena = createArena(options.memoryBytes ?? DEFAULT_MEMORY_BYTES)
  const kernels = new Map<string, Promise<Kernel>>()
  let open = true
  const checkOpen = (): void => {
    if (!open) throw new RuntimeWasmError({ code: 'closed' })
  }
  const build = async (program: Program): Promise<Kernel> => {
    checkProgram(program)
    const module = await compileModule(generateModule(program, arena.pages))
    const { run } = (await WebAssembly.instantiate(module, { env: { memory: arena.memory } })).exports
    return createKernel(program, arena, run as (block: number) => void, checkOpen)
  }
  return {
    name: 'wasm',
    allocate(byteLength) {
      checkOpen()
      return arena.allocate(byteLength)
    },
    async compile(program) {
      checkOpen()
      const key = programKey(program)
      let kernel = kernels.get(key)
      if (kernel === undefined) kernels.set(key, (kernel = build(program)))
      return kernel
    },
    async close() {
      open = false
      kernels.clear()
    },
  }
}

async function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    throw new RuntimeWasmError(
      { code: 'engine', what: cause instanceof Error ? cause.message : String(cause) },
      { cause },
    )
  }
}
