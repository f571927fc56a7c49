import { hasCode } from '@mk/errors'
import type { Runtime } from './runtime.ts'

/**
 * Makes a runtime that leaves programs and products that `primary` doesn't support to `fallback`; every other error of `primary` remains one.
 * It owns both: `close` closes them. Buffers are those of `primary`, which `fallback` copies from and to.
 * @param onFallback hears of each, with the error 'unsupported-program' that says why
 */
export function withFallback(primary: Runtime, fallback: Runtime, onFallback?: (reason: Error) => void): Runtime {
  const choose = async <T>(make: (runtime: Runtime) => Promise<T>): Promise<T> => {
    try {
      return await make(primary)
    } catch (error) {
      if (!hasCode(error, 'unsupported-program')) throw error
      const kernel = await make(fallback)
      onFallback?.(error as Error)
      return kernel
    }
  }
  return {
    name: primary.name,
    ...(primary.preferredElements !== undefined && { preferredElements: primary.preferredElements }),
    allocate: (byteLength) => primary.allocate(byteLength),
    compile: (program) => choose((runtime) => runtime.compile(program)),
    compileProduct: (product) => choose((runtime) => runtime.compileProduct(product)),
    async close() {
      await Promise.all([primary.close(), fallback.close()])
    },
  }
}
