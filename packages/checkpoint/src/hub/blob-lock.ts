import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Tells this process from an earlier one that had the same number, as in a container that was restarted. */
const session = randomUUID()
const touchMs = 20_000
const abandonedMs = 120_000
const pollMs = 50

/**
 * Waits until nobody else downloads a file, in this process or another, and keeps others from it until it is released.
 * A lock whose owner has died is taken over.
 */
export async function lockBlob(blob: string, signal?: AbortSignal): Promise<{ release(): Promise<void> }> {
  const lock = `${blob}.mk.lock`
  const owner = JSON.stringify({ host: hostname(), pid: process.pid, session, id: randomUUID() })
  while (!(await writeFile(lock, owner, { flag: 'wx' }).then(() => true, refuseUnlessExists))) {
    const found = await readFile(lock, 'utf8').catch(() => undefined)
    if (found !== undefined && (await isAbandoned(lock, found))) await takeAway(lock, found)
    else await sleep(pollMs, undefined, { ...(signal && { signal }) })
  }
  const timer = setInterval(() => utimes(lock, new Date(), new Date()).catch(() => {}), touchMs)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await rm(lock, { force: true })
    },
  }
}

function refuseUnlessExists(error: NodeJS.ErrnoException): boolean {
  if (error.code !== 'EEXIST') throw error
  return false
}

async function isAbandoned(lock: string, content: string): Promise<boolean> {
  const modified = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  )
  if (Date.now() - modified > abandonedMs) return true
  try {
    const owner = JSON.parse(content) as { host: string; pid: number; session: string }
    if (owner.host !== hostname()) return false
    return owner.pid === process.pid ? owner.session !== session : !isAlive(owner.pid)
  } catch {
    // Being written at this moment, or cut off by a crash: then it ages.
    return false
  }
}

/** Renamed first, so that of several that find the same lock abandoned only one removes it. */
async function takeAway(lock: string, expected: string): Promise<void> {
  const away = `${lock}.${randomUUID()}`
  if (
    !(await rename(lock, away).then(
      () => true,
      () => false,
    ))
  )
    return
  if ((await readFile(away, 'utf8')) === expected) await rm(away)
  else await rename(away, lock)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
