import { randomUUID } from 'node:crypto'
import {
  access,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { CheckpointError } from '../errors.ts'
import { isHubId } from './hub-id.ts'
import { nodeFiles } from '@mk/source/node'
import { readingIfPresent, readText } from '../files/read-file.ts'

/**
 * One model in the layout of Hugging Face's cache: `blobs/<hash>`, `snapshots/<commit>/<name>` as links to blobs, and
 * `refs/<branch>` with a commit. https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export interface CachedModel {
  readonly folder: string
  snapshotFolder(commit: string): string
  blobFile(hash: string): string
  /** The commit that a revision stood for when it was last asked for. */
  readCommit(revision: string): Promise<string | undefined>
  writeCommit(revision: string, commit: string): Promise<void>
  /** Names of the files of a snapshot whose bytes are there: at the top level, or in one of its folders, with that in their names. */
  listSnapshot(commit: string, folder?: string): Promise<readonly string[]>
  /** Gives a blob its name in a snapshot. */
  link(commit: string, name: string, hash: string): Promise<void>
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/**
 * Opens a model's part of the cache, whether it is there yet or not.
 * @throws `hub-id`, `hub-revision` where one of them can't be part of a path
 */
export function openCachedModel(cacheFolder: string, id: string, revision: string): CachedModel {
  if (!isHubId(id)) throw new CheckpointError({ code: 'hub-id', id })
  const isSafe =
    /^[\w.\-+/]+$/.test(revision) && revision.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!isSafe || revision.length > 200) throw new CheckpointError({ code: 'hub-revision', id, revision })
  const folder = join(cacheFolder, `models--${id.replace('/', '--')}`)
  const snapshotFolder = (commit: string): string => join(folder, 'snapshots', commit)
  const blobFile = (hash: string): string => join(folder, 'blobs', hash)
  return {
    folder,
    snapshotFolder,
    blobFile,
    async readCommit(revision) {
      if (isCommit(revision)) return revision
      const file = join(folder, 'refs', revision)
      // A branch may be named as the folder of others is.
      const commit = (await isFile(file)) ? (await readText(nodeFiles, file))?.trim() : undefined
      return commit !== undefined && isCommit(commit) ? commit : undefined
    },
    async writeCommit(revision, commit) {
      if (revision === commit) return
      const file = join(folder, 'refs', revision)
      await mkdir(dirname(file), { recursive: true })
      const part = `${file}.${randomUUID()}.part`
      await writeFile(part, commit)
      await rename(part, file)
    },
    async listSnapshot(commit, folder) {
      const listed = join(snapshotFolder(commit), folder ?? '')
      const found = (await readingIfPresent(listed, () => readdir(listed))) ?? []
      const names = folder === undefined ? found : found.map((name) => `${folder}/${name}`)
      const present = await Promise.all(names.map((name) => isFile(join(snapshotFolder(commit), name))))
      return names.filter((_, index) => present[index])
    },
    async link(commit, name, hash) {
      const path = join(snapshotFolder(commit), name)
      if (await isFile(path)) return
      await mkdir(dirname(path), { recursive: true })
      await rm(path, { force: true })
      const blob = blobFile(hash)
      try {
        await symlink(relative(dirname(path), blob), path)
      } catch {
        if (
          await lstat(path).then(
            () => true,
            () => false,
          )
        )
          return
        await link(blob, path).catch(() => copyFile(blob, path))
      }
    },
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** Finds how many bytes a user may still write where a folder is, or will be made. */
export async function freeBytes(folder: string): Promise<number> {
  for (let existing = folder; ; existing = dirname(existing)) {
    if (
      existing === dirname(existing) ||
      (await access(existing).then(
        () => true,
        () => false,
      ))
    ) {
      const { bavail, bsize } = await statfs(existing)
      return bavail * bsize
    }
  }
}
