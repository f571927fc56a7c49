import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells a process from all others, also from later ones with its number. */
export interface ProcessIdentity {
  readonly host: string
  /** Equal for processes that see one another's numbers: the machine since it was started, and the namespace. */
  readonly where: string
  readonly pid: number
  /** When it was started, as the system counts; undefined where the system doesn't tell. */
  readonly started?: string
  /** Tells this process from an earlier one that had the same number, as in a container that was restarted. */
  readonly session: string
}

const session = randomUUID()

/** Tells who this process is. */
export function identifyProcess(): ProcessIdentity {
  const self = { host: hostname(), pid: process.pid, session }
  if (process.platform !== 'linux') return { ...self, where: hostname() }
  try {
    // Where /proc is of another namespace, its numbers are other processes'.
    if (readlinkSync('/proc/self') !== String(process.pid)) return { ...self, where: session }
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const started = startOf(process.pid)
    return {
      ...self,
      where: `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`,
      ...(started !== undefined && { started }),
    }
  } catch {
    return { ...self, where: session }
  }
}

/** Tells whether a process still runs; 'unknown' where it can't be seen from here, or nothing tells it from one with the same number. */
export function isSameProcess({
  where,
  pid,
  started,
  session: other,
}: ProcessIdentity): 'running' | 'gone' | 'unknown' {
  if (where !== identifyProcess().where) return 'unknown'
  if (pid === process.pid) return other === session ? 'running' : 'gone'
  if (!isRunning(pid)) return 'gone'
  if (started === undefined) return 'unknown'
  return startOf(pid) === started ? 'running' : 'gone'
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 22 of /proc/…/stat; the name before it, in parentheses, may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
