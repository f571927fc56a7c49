/** What separates the parts of a path: on Windows it has no other than backslashes, and a name elsewhere may have one. */
const separatorOf = (path: string): string => (!path.includes('/') && path.includes('\\') ? '\\' : '/')

/**
 * Joins the path of a folder and a path inside it, as Node does, wherever files are.
 * @param name with `/` on every system; its `.` and `..` are resolved
 */
export function joinPath(folder: string, name: string): string {
  const separator = separatorOf(folder)
  const parts = folder.split(separator)
  if (parts.at(-1) === '' && parts.length > 1) parts.pop()
  for (const part of name.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return folder === '' ? parts.slice(1).join(separator) : parts.join(separator) || separator
}

/** Gives the last part of a path. */
export const nameOfPath = (path: string): string => path.slice(path.lastIndexOf(separatorOf(path)) + 1)

/** Gives the folder of a path; `.` where it names none. */
export function folderOfPath(path: string): string {
  const end = path.lastIndexOf(separatorOf(path))
  return end < 0 ? '.' : end === 0 ? path.slice(0, 1) : path.slice(0, end)
}
