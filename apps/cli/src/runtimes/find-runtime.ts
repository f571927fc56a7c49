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
  const device = findDevice(name)
  const specifier = { name: device.name, module: import.meta.resolve(device.module), factory: device.factory }
  return verbose ? { ...specifier, options: { announced: new Int32Array(new SharedArrayBuffer(4)) } } : specifier
}

/** Opens the runtime of a device once. @throws CommandError 'unknown-device', 'device-unavailable': what is missing here, and how to get it */
export async function checkRuntime(name: string): Promise<void> {
  const problem = await findProblem(findDevice(name))
  if (problem !== undefined) throw new CommandError({ code: 'device-unavailable', device: name, reason: problem })
}

export interface RuntimeStatus {
  readonly name: string
  readonly summary: string
  readonly available: boolean
  /** Why it isn't available. */
  readonly problem?: string
}

/** Tells of every device whether it is available here, or why not. */
export async function listRuntimes(): Promise<RuntimeStatus[]> {
  const statuses: RuntimeStatus[] = []
  for (const device of devices) {
    const problem = await findProblem(device)
    statuses.push({
      name: device.name,
      summary: device.summary,
      available: problem === undefined,
      ...(problem !== undefined && { problem }),
    })
  }
  return statuses
}

function findDevice(name: string): Device {
  const device = devices.find((other) => other.name === (deviceAliases[name] ?? name))
  if (device === undefined)
    throw new CommandError({ code: 'unknown-device', device: name, known: devices.map((other) => other.name) })
  return device
}

async function findProblem({ probe }: Device): Promise<string | undefined> {
  try {
    await probe?.()
    return undefined
  } catch (error) {
    if (!hasCode(error, 'runtime-unavailable')) throw error
    return (error as Error).message
  }
}
