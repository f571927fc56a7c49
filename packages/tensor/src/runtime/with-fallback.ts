import { hasCode } from '@mk/errors'
import type { Runtime } from './runtime.ts'

/**
 * Makes a runtime that leaves programs that `primary` doesn't support to `fallback`; every other error of `primary` remains one.
 * It owns both: `close` closes them. Buffers are those of `primary`, which `fallback` copies from and to.
 * @param onFallback hears of each such program, with the error 'unsupported-program' that says why
 */
export function withFallback(primary: Runtime, fallback: Runtime, onFallback?: (reason: Error) => void): Runtime {
  return {
    name: primary.name,
    ...(primary.preferredElements !== undefined && { preferredElements: primary.preferredElements }),
    allocate: (byteLength) => primary.allocate(byteLength),
    async compile(program) {
      try {
        return await primary.compile(program)
      } catch (error) {
        if (!hasCode(error, 'unsupported-program')) throw error
        const kernel = await fallback.compile(program)
        onFallback?.(error as Error)
        return kernel
      }
    },
    async close() {
      await Promise.all([primary.close(), fallback.close()])
    },
  }
}
