import { type FileStore, joinPath } from '@mk/source'
import { readingIfPresent } from '../files/read-file.ts'

export type Located =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'absent'; readonly tried: readonly string[] }

/** Finds a folder or file: relative to each root in order; `~` is the user's home. */
export async function locatePath(store: FileStore, path: string, roots: readonly string[]): Promise<Located> {
  const { home } = store
  const isInHome = home !== undefined && (path === '~' || /^~[/\\]/.test(path))
  const expanded = isInHome ? joinPath(home, path.slice(1)) : path
  const candidates = [...new Set(roots.map((root) => store.resolve(root, expanded)))]
  for (const candidate of candidates) if (await exists(store, candidate)) return { kind: 'found', path: candidate }
  return { kind: 'absent', tried: candidates }
}

/** Tells whether a path can't be meant as the id of a hub model, which is `name` or `org/name`. */
export const looksLocal = (path: string): boolean =>
  /^(\.{0,2}|~|[A-Za-z]:)[/\\]|^\.{1,2}$|\\|\/$/.test(path) ||
  path.split('/').length > 2 ||
  /\.(safetensors|bin|pt|pth|ckpt|gguf|json)$/.test(path)

/** Splits the path of a GGUF in a model of the hub, `org/name/file.gguf`; undefined for what can't be one. */
export function splitHubFile(path: string): { readonly id: string; readonly file: string } | undefined {
  const groups = /^(?<id>[\w.-]+\/[\w.-]+)\/(?<file>(?:[^/\\:]+\/)*[^/\\:]+\.gguf)$/.exec(path)?.groups
  if (groups === undefined || path.split('/').some((part) => /^\.{1,2}$/.test(part)) || path.startsWith('~'))
    return undefined
  return { id: groups['id']!, file: groups['file']! }
}

/** @throws CheckpointError `unreadable-model` where it can't be told */
const exists = async (store: FileStore, path: string): Promise<boolean> =>
  // No file has such a name, and Node has an error of its own for it.
  !path.includes('\0') && ((await readingIfPresent(path, () => store.stat(path).then(() => true))) ?? false)
