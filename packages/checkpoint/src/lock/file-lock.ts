import { randomUUID } from 'node:crypto'
import { link, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError } from '@mk/errors'
import { readBytes } from '@mk/safetensors/node'
import { identifyProcess, isSameProcess } from './process-identity.ts'

/** Who holds a lock. */
export interface LockOwner {
  readonly host: string
  readonly pid: number
}

/** A lock that this process has, as a file that others see. */
export interface FileLock {
  /** Tells whether the lock is still this one: a process that stood still for long may have lost it to one that can't see it. */
  isHeld(): Promise<boolean>
  release(): Promise<void>
}

/** Either the lock, or who has it. */
export type LockAttempt =
  | { readonly lock: FileLock; readonly owner?: undefined }
  | { readonly lock?: undefined; readonly owner: LockOwner }

const touchMs = 20_000
/** After that long without a sign of life, the lock of a process that can't be seen from here is taken over. */
const abandonedMs = 120_000
/** After that long, a lock without a name in it is of a process that died between making and writing it. */
const unwrittenMs = 2000
const pollMs = 50

/**
 * Takes a lock, a file that only one process can make, if nobody has it. It has the name of its owner, and is written anew every
 * 20 s: that of a process that has died is taken over, also where another program has its number now; that of one on
 * another machine, or in another container, after two minutes without a sign of life.
 * @throws what `signal` says; the system's error where the file can't be made
 */
export async function tryLock(path: string, signal?: AbortSignal): Promise<LockAttempt> {
  const text = JSON.stringify({ ...identifyProcess(), id: randomUUID() })
  for (;;) {
    const lock = await makeLock(path, text)
    if (lock !== undefined) return { lock }
    const found = await readIfPresent(path)
    if (found === undefined) continue
    const owner = parseOwner(found)
    if (await isAbandoned(path, owner)) await takeAway(path, found)
    else if (owner !== undefined) return { owner }
    else await pause(signal)
  }
}

/**
 * Takes a lock as soon as nobody else has it.
 * @param onWait called about every 50 ms while somebody else has it
 * @throws what `signal` says; the system's error where the file can't be made
 */
export async function waitForLock(
  path: string,
  signal?: AbortSignal,
  onWait?: (owner: LockOwner) => unknown,
): Promise<FileLock> {
  for (;;) {
    const { lock, owner } = await tryLock(path, signal)
    if (lock !== undefined) return lock
    await onWait?.(owner)
    await pause(signal)
  }
}

const pause = (signal: AbortSignal | undefined) => sleep(pollMs, undefined, { ...(signal && { signal }) })

async function makeLock(path: string, text: string): Promise<FileLock | undefined> {
  const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  if (handle === undefined) return undefined
  const hasText = async () => (await readIfPresent(path)) === text
  // One look that fails, or sees nothing, is no loss.
  const isHeld = async () => (await hasText().catch(() => false)) || hasText()
  try {
    await handle.writeFile(text)
    // One that stood still before it had written its name may have lost the lock.
    if (!(await isHeld())) {
      await handle.close()
      return undefined
    }
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(path, { force: true }).catch(() => {})
    throw error
  }
  // Written, not stamped with a time of this machine: then all times are those of the file system.
  let isReleased = false
  const timer = setInterval(() => void handle.write(text, 0).catch(() => {}), touchMs)
  timer.unref()
  return {
    isHeld,
    async release() {
      if (isReleased) return
      isReleased = true
      clearInterval(timer)
      await handle.close()
      // What can't be read or deleted now is taken away by the next one.
      if (!(await isHeld().catch(() => false))) return
      await rm(path, { force: true }).catch(() => rm(path, { force: true }).catch(() => {}))
    },
  }
}

const readIfPresent = async (path: string): Promise<string | undefined> =>
  (
    await readBytes(path, Infinity).catch((error: unknown) => {
      if (isSystemError(error) && error.code === 'ENOENT') return undefined
      throw error
    })
  )?.toString('utf8')

type Owner = LockOwner & ReturnType<typeof identifyProcess>

/** Undefined while it is being written, and where a crash cut it off. */
function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    return typeof owner?.host === 'string' && typeof owner.pid === 'number' ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

async function isAbandoned(path: string, owner: Owner | undefined): Promise<boolean> {
  const isSame = owner === undefined ? 'unknown' : isSameProcess(owner)
  if (isSame !== 'unknown') return isSame === 'gone'
  const leastMs = owner === undefined ? unwrittenMs : abandonedMs
  const modifiedMs = await modified(path)
  if (modifiedMs === undefined || Date.now() - modifiedMs <= leastMs) return false
  return owner === undefined || (await fileSystemTime(path)) - modifiedMs > leastMs
}

const modified = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )

/** The clocks of machines differ: what counts is that of the one that has the file. */
async function fileSystemTime(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`
  try {
    await writeFile(probe, '')
    return (await modified(probe)) ?? 0
  } finally {
    await rm(probe, { force: true })
  }
}

/** Renamed first, so that of several that find the same lock abandoned only one removes it. */
async function takeAway(path: string, expected: string): Promise<void> {
  const away = `${path}.${randomUUID()}`
  const isAway = await rename(path, away).then(
    () => true,
    () => false,
  )
  if (!isAway) return
  // Somebody else's, who was faster; not over that of a third.
  if ((await readIfPresent(away).catch(() => undefined)) !== expected) await link(away, path).catch(() => {})
  await rm(away, { force: true })
}
