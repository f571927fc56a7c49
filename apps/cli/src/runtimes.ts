import type { RuntimeSpecifier } from '@mk/merge'
import { UsageError } from './describe-error.ts'

interface RuntimeEntry {
  readonly specifier: RuntimeSpecifier
  readonly summary: string
}

const entry = (name: string, module: string, factory: string, summary: string, options?: Readonly<Record<string, unknown>>): [string, RuntimeEntry] => [
  name,
  { specifier: { name, module: import.meta.resolve(module), factory, ...(options && { options }) }, summary },
]

/** The runtimes by the name that `--device` takes. */
export const runtimes: ReadonlyMap<string, RuntimeEntry> = new Map([
  entry('wasm', '@mk/runtime-wasm', 'createWasmRuntime', 'WebAssembly SIMD in worker threads'),
  entry('reference', '@mk/tensor', 'createReferenceRuntime', 'plain TypeScript, which defines every operation'),
])

/** mergekit's names for what runs where no accelerator is asked for. */
const aliases: Readonly<Record<string, string>> = { cpu: 'wasm', auto: 'wasm' }

export function findRuntime(name: string): RuntimeSpecifier {
  const found = runtimes.get(aliases[name] ?? name)
  if (found === undefined) {
    const missing = ['cuda', 'onnx-cpu', 'gpu'].includes(name) ? `there is no ${name} runtime yet` : `there is no device '${name}'`
    throw new UsageError(`--device ${name}: ${missing}; use ${[...runtimes.keys()].join(' or ')}`, 'runtime-unavailable')
  }
  return found.specifier
}
