import { refuseCall } from '@mk/errors'
import type { RangeFile } from '@mk/safetensors'
import { joinPath } from '../paths.ts'
import type { FileFacts, FileStore } from '../read/file-store.ts'
import type { OpenFiles } from '../read/open-files.ts'
import { byteCountOf, type FileMap, type MappedFile } from './mapped-file.ts'
import { createWindows, defaultWindows, type WindowLimits } from './read-windows.ts'
import { fetchRange } from './remote-range.ts'

/**
 * Makes a place of files out of a map, which may still grow: as a folder is, without a file system. Nothing is read ahead of
 * need, and nothing kept but windows of files (`openFiles`).
 */
export function createFileMap(files: FileMap, limits: WindowLimits = defaultWindows): FileStore {
  const isFolder = (path: string): boolean => {
    const start = path === '/' ? path : `${path}/`
    for (const file of files.keys()) if (file.startsWith(start)) return true
    return false
  }
  const find = (path: string, call: string): MappedFile | undefined => {
    const file = files.get(path)
    if (file === undefined && !isFolder(path))
      throw refuseCall(files.has(parentOf(path)) ? 'ENOTDIR' : 'ENOENT', call, path)
    return file
  }
  return {
    resolve: (folder, path) => (path.startsWith('/') ? joinPath('/', path) : joinPath(folder, path)),
    async list(folder) {
      if (find(folder, 'scandir') !== undefined) throw refuseCall('ENOTDIR', 'scandir', folder)
      const start = folder === '/' ? folder : `${folder}/`
      const names = [...files.keys()].flatMap((path) =>
        path.startsWith(start) ? [path.slice(start.length).split('/', 1)[0]!] : [],
      )
      return [...new Set(names)]
    },
    async stat(path): Promise<FileFacts> {
      const file = find(path, 'stat')
      if (file === undefined) return { kind: 'folder', byteCount: 0, state: 'folder' }
      return { kind: 'file', byteCount: byteCountOf(file), state: stateOf(file) }
    },
    realPath: async (path) => {
      find(path, 'realpath')
      return path
    },
    async withFile(path, use) {
      const file = find(path, 'open')
      if (file === undefined) throw refuseCall('EISDIR', 'read', path)
      return use(rangesOf(path, file))
    },
    openFiles: (): OpenFiles => createWindows(files, limits),
  }
}

function rangesOf(path: string, file: MappedFile): RangeFile {
  const byteCount = byteCountOf(file)
  return {
    byteCount,
    async read(byteStart, into) {
      const byteEnd = Math.min(byteStart + into.length, byteCount)
      if (byteEnd <= byteStart) return 0
      into.set(await readRange(path, file, byteStart, byteEnd))
      return byteEnd - byteStart
    },
  }
}

async function readRange(path: string, file: MappedFile, byteStart: number, byteEnd: number): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file.subarray(byteStart, byteEnd)
  if (!(file instanceof Blob)) return fetchRange(path, file, byteStart, byteEnd)
  try {
    return new Uint8Array(await file.slice(byteStart, byteEnd).arrayBuffer())
  } catch (cause) {
    // It was moved, deleted or written to since it was chosen.
    throw Object.assign(refuseCall('EIO', 'read', path), { cause })
  }
}

const stateOf = (file: MappedFile): string => {
  if (file instanceof Uint8Array) return `${file.length}`
  if (file instanceof Blob) return `${file.size},${(file as Partial<File>).lastModified ?? ''}`
  return `${file.byteCount},${file.url}`
}

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
