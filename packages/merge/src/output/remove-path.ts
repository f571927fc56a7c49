import { rm } from 'node:fs/promises'

/** Deletes a file or a folder with all that is in it; what failed once is tried again. */
export async function removePath(path: string): Promise<void> {
  const options = { recursive: true, force: true }
  await rm(path, options).catch(() => rm(path, options))
}
