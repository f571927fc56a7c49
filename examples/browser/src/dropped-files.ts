/** Files with the paths that they have in what was dropped or chosen: `/tiny-code/config.json`. */
export type PathedFiles = readonly (readonly [path: string, file: File])[]

/** Lists chosen files; those of a chosen folder know their path in it. */
export const chosenFiles = (list: FileList): PathedFiles =>
  Array.from(list, (file) => [`/${file.webkitRelativePath || file.name}`, file] as const)

/** Lists what was dropped, folders with all that is in them. */
export async function droppedFiles({ items }: DataTransfer): Promise<PathedFiles> {
  // Entries have to be taken before anything is awaited.
  const taken = Array.from(items, (item) => item.webkitGetAsEntry() ?? item.getAsFile())
  const lists = await Promise.all(
    taken.map(async (one) => {
      if (one === null) return []
      return one instanceof File ? [[`/${one.name}`, one] as const] : filesOf(one)
    }),
  )
  return lists.flat()
}

async function filesOf(entry: FileSystemEntry): Promise<PathedFiles> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [[entry.fullPath, file]]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: FileSystemEntry[] = []
  for (;;) {
    // A hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    found.push(...some)
  }
  return (await Promise.all(found.map(filesOf))).flat()
}

/** Names the models that files are of: folders, and files that lie in none. */
export const modelsOf = (files: PathedFiles): string[] => [...new Set(files.map(([path]) => path.split('/')[1]!))]
