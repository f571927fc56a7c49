import type { RuntimeSpecifier } from '@mk/merge'
import { UsageError } from './describe-error.ts'

interface RuntimeEntry {
  readonly specifier: RuntimeSpecifier
  readonly summary: string
  /** Opens and closes it; absent for runtimes that are always there. @throws an error with code 'runtime-unavailable' */
  readonly probe?: () => Promise<void>
}

const entry = (
  name: string,
  module: string,
  factory: string,
  summary: string,
  probe?: RuntimeEntry['probe'],
): [string, RuntimeEntry] => [
  name,
  { specifier: { name, module: import.meta.resolve(module), factory }, summary, ...(probe && { probe }) },
]

/** The runtimes by the name that `--device` takes. */
export const runtimes: ReadonlyMap<string, RuntimeEntry> = new Map([
  entry('wasm', '@mk/runtime-wasm', 'createWasmRuntime', 'WebAssembly SIMD in worker threads'),
  entry('reference', '@mk/tensor/runtime', 'createReferenceRuntime', 'plain TypeScript, which defines every operation'),
  entry(
    'cuda',
    '@mk/cli/composed-runtimes',
    'createCudaWithFallback',
    'an NVIDIA GPU, through ONNX Runtime',
    async () => (await (await import('@mk/runtime-cuda')).createCudaRuntime()).close(),
  ),
  entry(
    'onnx-cpu',
    '@mk/cli/composed-runtimes',
    'createOnnxCpuWithFallback',
    'what runs on CUDA, on the CPU: for testing',
    async () => (await (await import('@mk/runtime-cuda')).createOnnxCpuRuntime()).close(),
  ),
  entry(
    'gpu',
    '@mk/cli/composed-runtimes',
    'createGpuWithFallback',
    'the best that gpu.js finds: WebGPU, WebGL, else the CPU',
    async () => (await (await import('@mk/runtime-gpu')).createGpuRuntime()).close(),
  ),
])

/** mergekit's names for what runs where no accelerator is asked for. */
const aliases: Readonly<Record<string, string>> = { cpu: 'wasm', auto: 'wasm' }

/**
 * @param verbose whether it is to say that programs fall back to another runtime, once
 * @throws UsageError 'runtime-unavailable' if there is none of that name
 */
export function findRuntime(name: string, { verbose = false } = {}): RuntimeSpecifier {
  const { specifier } = findEntry(name)
  return verbose
    ? { ...specifier, options: { ...specifier.options, announced: new Int32Array(new SharedArrayBuffer(4)) } }
    : specifier
}

/** @throws UsageError 'runtime-unavailable', with a line that says what is missing here and how to get it */
export async function checkRuntime(name: string): Promise<void> {
  const problem = await findProblem(findEntry(name))
  if (problem !== undefined) throw new UsageError(`--device ${name}: ${problem}`, 'runtime-unavailable')
}

export interface RuntimeStatus {
  readonly name: string
  readonly summary: string
  readonly available: boolean
  /** Why it isn't available. */
  readonly problem?: string
}

/** What is available here, and why the others are not. */
export async function listRuntimes(): Promise<RuntimeStatus[]> {
  const statuses: RuntimeStatus[] = []
  for (const [name, found] of runtimes) {
    const problem = await findProblem(found)
    statuses.push({
      name,
      summary: found.summary,
      available: problem === undefined,
      ...(problem !== undefined && { problem }),
    })
  }
  return statuses
}

export const formatRuntimes = (statuses: readonly RuntimeStatus[]): string =>
  statuses
    .map(
      ({ name, summary, problem }) =>
        `${name}\n  ${summary}\n  ${problem === undefined ? 'available' : `not available: ${problem}`}\n`,
    )
    .join('\n')

function findEntry(name: string): RuntimeEntry {
  const found = runtimes.get(aliases[name] ?? name)
  if (found === undefined)
    throw new UsageError(
      `--device ${name}: there is no device '${name}'; use ${[...runtimes.keys()].join(' or ')}`,
      'runtime-unavailable',
    )
  return found
}

async function findProblem({ probe }: RuntimeEntry): Promise<string | undefined> {
  try {
    await probe?.()
    return undefined
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'runtime-unavailable') throw error
    return (error as Error).message
  }
}
