import { sep } from 'node:path'

/** Where the files of a folder, or a file, are instead of where a plan has them. */
export interface MappedPath {
  readonly from: string
  readonly to: string
}

/** Gives the path that a file has now: by the first entry that it lies in; undefined where none says so. */
export function mapPath(path: string, mapped: readonly MappedPath[]): string | undefined {
  for (const { from, to } of mapped) {
    const folder = withoutEnd(from)
    if (path === folder) return to
    if (path.startsWith(folder + sep) || path.startsWith(`${folder}/`))
      return withoutEnd(to) + path.slice(folder.length)
  }
  return undefined
}

/** That of a root stays empty. */
const withoutEnd = (folder: string): string => folder.replace(/[/\\]+$/, '')
