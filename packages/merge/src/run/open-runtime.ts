import { createWasmRuntime } from '@mk/runtime-wasm'
import type { Runtime } from '@mk/tensor/runtime'
import type { RuntimeSpecifier } from './task.ts'

/** Opens the runtime that a specifier names, in this thread. @throws TypeError where the module lacks the export */
export async function openRuntime({ module, factory, options }: RuntimeSpecifier): Promise<Runtime> {
  if (module === undefined) return createWasmRuntime(options)
  // Where it is is known when it runs: nothing that a bundler could follow.
  const exports = (await import(
    /* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ module
  )) as Record<string, (options?: unknown) => Runtime | Promise<Runtime>>
  const create = exports[factory]
  if (create === undefined) throw new TypeError(`${module} has no export '${factory}'`)
  return create(options)
}
