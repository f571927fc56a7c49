import { readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { rangesOf, withFile } from '@mk/safetensors/node'
import type { FileStore } from '../read/file-store.ts'
import { createOpenFiles } from './open-files.ts'

/**
 * The files of this machine. What is known of them is asked for at once: to have a thread of Node's pool do so takes twenty times as long,
 * and hundreds of such questions are most of what a merge waits for before it reads weights.
 */
export const nodeFiles: FileStore = {
  get home() {
    return homedir()
  },
  resolve: (folder, path) => resolve(folder, path),
  list: async (folder) => readdirSync(folder),
  async stat(path) {
    const found = statSync(path, { bigint: true })
    return {
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
      byteCount: Number(found.size),
      state: [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(),
    }
  },
  realPath: async (path) => realpathSync.native(path),
  withFile: (path, use) => withFile(path, async (handle) => use(rangesOf(handle))),
  openFiles: () => createOpenFiles(),
}
