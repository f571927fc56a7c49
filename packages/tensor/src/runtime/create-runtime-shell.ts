import { TensorError } from '../errors.ts'
import { checkProgram } from '../program/check-program.ts'
import { programKey } from '../program/format-program.ts'
import { checkProductCall } from '../product/check-product.ts'
import { productKey, type Product, type ProductCall, type ProductKernel } from '../product/product.ts'
import type { Program } from '../program/program.ts'
import { createCallCheck } from './check-call.ts'
import type { Kernel, KernelCall, KernelResult, Runtime } from './runtime.ts'

/** What a runtime does itself; the shell sees to the rest of the contract. */
export interface RuntimeParts {
  readonly name: string
  readonly preferredElements?: number
  /** Whether kernels never give promises. */
  readonly isSynchronous?: boolean
  /** Absent: buffers are ordinary ones. */
  allocate?(byteLength: number): Uint8Array
  /** Makes the kernel of a well-formed program. Its calls fit the program. @throws TensorError 'unsupported-program' */
  compile(program: Program): Promise<Kernel>
  /** Makes the kernel of a product. Its calls fit the product. Absent: there are no products. @throws TensorError 'unsupported-program' */
  compileProduct?(product: Product): Promise<ProductKernel>
  /** Gives back what the runtime holds; no kernel runs any more. */
  close?(): Promise<void>
  /** Whether kernels share something and may not run, or be compiled, before the last one has finished. */
  readonly inTurns?: boolean
}

/**
 * Makes a runtime from what is particular to it. Programs and calls are checked, equal programs are compiled once, calls wait for
 * one another where they must, and after `close` everything throws TensorError 'runtime-closed'.
 */
export function createRuntimeShell({
  name,
  preferredElements,
  isSynchronous = false,
  allocate = (byteLength) => new Uint8Array(byteLength),
  compile,
  compileProduct,
  close,
  inTurns = false,
}: RuntimeParts): Runtime {
  const kernels = new Map<string, Promise<Kernel>>()
  const products = new Map<string, Promise<ProductKernel>>()
  let isOpen = true
  const checkOpen = (): void => {
    if (!isOpen) throw closed()
  }
  let previous: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => T | Promise<T>): Promise<T> => {
    const result = previous.then(action)
    previous = result.catch(() => {})
    return result
  }
  /** A kernel whose calls are checked, and wait where they must. */
  const guarded = <Call, Result>(
    check: (call: Call) => void,
    kernel: { run(call: Call): Result | Promise<Result> },
  ): { run(call: Call): Result | Promise<Result> } => {
    if (!inTurns) {
      return {
        run(call) {
          if (!isOpen) throw closed()
          check(call)
          return kernel.run(call)
        },
      }
    }
    return {
      async run(call) {
        checkOpen()
        check(call)
        return inTurn(() => kernel.run(call))
      },
    }
  }
  const prepare = <T>(make: () => Promise<T>): Promise<T> => (inTurns ? inTurn(make) : make())
  const build = async (program: Program): Promise<Kernel> => {
    const kernel = await prepare(() => compile(program))
    return guarded<KernelCall, KernelResult>(createCallCheck(program), kernel)
  }
  const buildProduct = async (product: Product): Promise<ProductKernel> => {
    if (compileProduct === undefined)
      throw new TensorError({ code: 'unsupported-program', runtime: name, what: 'matrix products' })
    const kernel = await prepare(() => compileProduct(product))
    return guarded<ProductCall, void>((call) => checkProductCall(product, call), kernel)
  }
  return {
    name,
    ...(preferredElements !== undefined && { preferredElements }),
    ...(isSynchronous && !inTurns && { isSynchronous }),
    allocate(byteLength) {
      checkOpen()
      return allocate(byteLength)
    },
    async compile(program) {
      checkOpen()
      checkProgram(program)
      const key = programKey(program)
      let kernel = kernels.get(key)
      if (kernel === undefined) kernels.set(key, (kernel = build(program)))
      return kernel
    },
    async compileProduct(product) {
      checkOpen()
      const key = productKey(product)
      let kernel = products.get(key)
      if (kernel === undefined) products.set(key, (kernel = buildProduct(product)))
      return kernel
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      kernels.clear()
      products.clear()
      await inTurn(() => close?.())
    },
  }
}

const closed = (): TensorError => new TensorError({ code: 'runtime-closed' })
