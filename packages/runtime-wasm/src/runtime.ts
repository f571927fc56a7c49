import { createRuntimeShell, type Runtime } from '@mk/tensor/runtime'
import { createArena } from './arena.ts'
import { unavailable } from './errors.ts'
import { generateModule } from './generator/generate-module.ts'
import { createKernel, type Run as RunKernel } from './kernel.ts'
import { createProductKernel, type Run } from './product/product-kernel.ts'

const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20

/** How much memory a runtime may use. */
export interface WasmRuntimeOptions {
  /**
   * Address space for all buffers of `allocate` and for what a call needs besides; 256 MiB if absent. It costs nothing
   * until it is used, and doesn't grow.
   */
  readonly memoryBytes?: number
}

/** Calls of fewer elements take less time than making code for what they bring. */
const SPECIALIZED_ELEMENTS = 2 ** 14

/**
 * Creates a runtime whose kernels are WebAssembly modules made for their program. Several runtimes share nothing; kernels of one
 * run one at a time, synchronously.
 * @throws TensorError 'runtime-option' or 'runtime-unavailable'
 */
export const createWasmRuntime = (options: WasmRuntimeOptions = {}): Runtime =>
  createRuntimeThatSpecializes(options, SPECIALIZED_ELEMENTS)

/** Creates one that makes code for what calls bring from so many elements on. */
export function createRuntimeThatSpecializes(options: WasmRuntimeOptions, fewestElements: number): Runtime {
  const arena = createArena(options.memoryBytes ?? DEFAULT_MEMORY_BYTES)
  // A kernel has a few thousand bytes: Node's other threads would take longer to come to them than compiling takes.
  const instantiate = async (bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.ExportValue> => {
    const atOnce = instantiateAtOnce(bytes, arena.memory)
    if (atOnce !== undefined) return atOnce
    const module = await compileModule(bytes)
    return (await WebAssembly.instantiate(module, { env: { memory: arena.memory } })).exports['run']!
  }
  const shared = new Map<string, Promise<WebAssembly.ExportValue>>()
  return createRuntimeShell({
    name: 'wasm',
    isSynchronous: true,
    allocate: (byteLength) => arena.allocate(byteLength),
    async compile(program) {
      const run = await instantiate(generateModule(program, arena.pages))
      return createKernel(program, arena, run as RunKernel, {
        fewestElements,
        make: (facts) =>
          instantiateAtOnce(generateModule(program, arena.pages, facts), arena.memory) as RunKernel | undefined,
      })
    },
    compileProduct: (product) =>
      createProductKernel(product, arena, async (name, generate) => {
        if (!shared.has(name)) shared.set(name, instantiate(generate(arena.pages)))
        return (await shared.get(name)!) as Run
      }),
  })
}

/** Undefined where there is none at once, as of some sizes in the main thread of some browsers. */
function instantiateAtOnce(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): WebAssembly.ExportValue | undefined {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports['run']
  } catch {
    return undefined
  }
}

async function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    throw unavailable(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
