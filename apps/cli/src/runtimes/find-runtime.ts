import { hasCode } from '@mk/errors'
import type { RuntimeSpecifier } from '@mk/merge'
import { CommandError } from '../errors/command-error.ts'
import { type Device, deviceAliases, devices } from './device-table.ts'

/**
 * Finds the runtime of a device, as workers open it.
 * @param verbose whether it is to say that programs fall back to another runtime, once
 * @throws CommandError 'unknown-device'
 */
export function findRuntime(name: string, { verbose = false } = {}): RuntimeSpecifier {
  const { device, mode } = findDevice(name)
  const { module, factory } = device
  const specifier = {
    name: device.name,
    ...(module !== undefined && { module: import.meta.resolve(module) }),
    factory,
  }
  const options = {
    ...(mode !== undefined && { mode }),
    ...(verbose && { announced: new Int32Array(new SharedArrayBuffer(4)) }),
  }
  return Object.keys(options).length === 0 ? specifier : { ...specifier, options }
}

/**
 * Opens the runtime of a device once.
 * @returns the runtime with what was found out about it, as workers are to open it
 * @throws CommandError 'unknown-device', 'device-unavailable': what is missing here, and how to get it
 */
export async function checkRuntime(name: string, runtime: RuntimeSpecifier): Promise<RuntimeSpecifier> {
  const { device, mode } = findDevice(name)
  const { problem, options } = await tryDevice(device, mode)
  if (problem !== undefined) throw new CommandError({ code: 'device-unavailable', device: name, reason: problem })
  return options === undefined ? runtime : { ...runtime, options: { ...runtime.options, ...options } }
}

export interface RuntimeStatus {
  readonly name: string
  readonly summary: string
  readonly available: boolean
  /** What does the work there, where that is not said by the name. */
  readonly found?: string
  /** Why it isn't available. */
  readonly problem?: string
}

/** Tells of every device whether it is available here, or why not. */
export async function listRuntimes(): Promise<RuntimeStatus[]> {
  const statuses: RuntimeStatus[] = []
  for (const device of devices) {
    const { problem, options } = await tryDevice(device)
    statuses.push({
      name: device.name,
      summary: device.summary,
      available: problem === undefined,
      ...(options !== undefined && { found: options.mode }),
      ...(problem !== undefined && { problem }),
    })
  }
  return statuses
}

function findDevice(text: string): { readonly device: Device; readonly mode: string | undefined } {
  const [name, mode] = text.split(/:(.*)/s)
  const device = devices.find((other) => other.name === (deviceAliases[name!] ?? name))
  const { modes = [] } = device ?? {}
  if (device === undefined || (mode !== undefined && !modes.includes(mode))) {
    const known =
      device === undefined || modes.length === 0
        ? devices.map((other) => other.name)
        : modes.map((each) => `${name}:${each}`)
    throw new CommandError({ code: 'unknown-device', device: text, known })
  }
  return { device, mode }
}

async function tryDevice(
  { probe }: Device,
  mode?: string,
): Promise<{ readonly problem?: string; readonly options?: { readonly mode: string } }> {
  try {
    const options = await probe?.(mode)
    return options ? { options } : {}
  } catch (error) {
    if (!hasCode(error, 'runtime-unavailable')) throw error
    return { problem: (error as Error).message }
  }
}
