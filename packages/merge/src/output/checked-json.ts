import { createHash, randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/** Gives an object as JSON with a checksum over it. */
export const formatChecked = (value: object): string => JSON.stringify({ ...value, checksum: checksumOf(value) })

/** Reads what `formatChecked` gave; undefined where it is not what was written. */
export function parseChecked<T extends object>(text: string): T | undefined {
  try {
    const { checksum, ...value } = JSON.parse(text) as T & { readonly checksum?: unknown }
    return checksum === checksumOf(value) ? (value as T) : undefined
  } catch {
    return undefined
  }
}

const checksumOf = (value: object): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** Replaces a file by one that is on the disk: whatever happens, there is a whole one. Several processes may do that at once. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}.new`
  try {
    const handle = await open(aside, 'wx')
    try {
      await handle.writeFile(text)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {})
    throw error
  }
}
