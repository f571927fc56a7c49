import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { rangesOf, withFile } from '@mk/safetensors/node'
import type { FileStore } from '../read/file-store.ts'
import { createOpenFiles } from './open-files.ts'

/** The files of this machine. */
export const nodeFiles: FileStore = {
  get home() {
    return homedir()
  },
  resolve: (folder, path) => resolve(folder, path),
  list: (folder) => readdir(folder),
  async stat(path) {
    const found = await stat(path, { bigint: true })
    return {
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
      byteCount: Number(found.size),
      state: [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(),
    }
  },
  realPath: (path) => realpath(path),
  withFile: (path, use) => withFile(path, async (handle) => use(await rangesOf(handle))),
  openFiles: () => createOpenFiles(),
}
