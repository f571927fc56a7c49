import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TensorError } from '@mk/tensor'

/** Back ends of gpu.js that are no GPU, and print nothing of their own. */
const onCpu = ['webasm', 'cpu']

/**
 * Finds a back end that works here, a GPU unless another is asked for. It is tried in a process of its own: native
 * libraries write what they think of a machine without drivers to stderr, whoever that belongs to.
 * @throws TensorError 'runtime-unavailable'
 */
export async function probeGpu(mode: string | undefined): Promise<{ readonly mode: string }> {
  const answer = await askChild(mode === undefined ? ['webgpu', 'headlessgl'] : [mode])
  if (answer.mode !== undefined) return { mode: answer.mode }
  // Without the packages there is nothing to choose from.
  const isInstalled = answer.missing?.startsWith('gpu.js finds no') === true
  throw new TensorError({
    code: 'runtime-unavailable',
    runtime: 'gpu',
    missing: !isInstalled || mode !== undefined ? (answer.missing ?? 'gpu.js does not start') : 'gpu.js finds no GPU',
    remedy:
      !isInstalled || mode !== undefined
        ? (answer.remedy ?? 'choose another device')
        : `install the npm package webgpu and a driver for Vulkan, Metal or Direct3D 12, or name a back end that runs on the CPU: ${onCpu.map((name) => `gpu:${name}`).join(' or ')}`,
  })
}

interface Answer {
  readonly mode?: string
  readonly missing?: string
  readonly remedy?: string
}

/** Of this package, wherever this stands in a bundle. */
const program = fileURLToPath(new URL('./bin/probe-gpu.mjs', import.meta.resolve('@mk/cli/package.json')))
const patienceMs = 60_000

function askChild(modes: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...modes], { timeout: patienceMs }, (error, stdout) => {
      try {
        resolve(JSON.parse(stdout) as Answer)
      } catch {
        resolve({ missing: `gpu.js does not start here${error?.signal ? ` (${error.signal})` : ''}` })
      }
    })
  })
}
