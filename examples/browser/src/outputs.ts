/** An output that lies in a folder of the page's own, which no other page sees (OPFS). */
export interface StoredOutput {
  readonly name: string
  readonly files: readonly (readonly [name: string, file: File])[]
}

/** Lists the files of an output. */
export async function readOutput(name: string): Promise<StoredOutput> {
  const root = await navigator.storage.getDirectory()
  return { name, files: await filesIn(await root.getDirectoryHandle(name), '') }
}

async function filesIn(folder: FileSystemDirectoryHandle, under: string): Promise<[string, File][]> {
  const found: [string, File][] = []
  for await (const [name, handle] of entriesOf(folder)) {
    if (handle.kind === 'file') found.push([under + name, await (handle as FileSystemFileHandle).getFile()])
    else found.push(...(await filesIn(handle as FileSystemDirectoryHandle, `${under}${name}/`)))
  }
  return found.toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const entriesOf = (folder: FileSystemDirectoryHandle): AsyncIterable<[string, FileSystemHandle]> =>
  (folder as unknown as { entries(): AsyncIterable<[string, FileSystemHandle]> }).entries()

/** Copies an output into a folder that the user chooses, file by file, as a stream. */
export async function copyOutput({ name, files }: StoredOutput, parent: FileSystemDirectoryHandle): Promise<void> {
  const folder = await parent.getDirectoryHandle(name, { create: true })
  for (const [path, file] of files) {
    const parts = path.split('/')
    let inside = folder
    for (const part of parts.slice(0, -1)) inside = await inside.getDirectoryHandle(part, { create: true })
    const handle = await inside.getFileHandle(parts.at(-1)!, { create: true })
    await file.stream().pipeTo(await handle.createWritable())
  }
}

/** Deletes an output. */
export async function removeOutput(name: string): Promise<void> {
  await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true })
}

/** Lets the user choose a folder to write to; undefined where the browser can't. */
export const folderPicker = (
  window as { readonly showDirectoryPicker?: (options: { mode: string }) => Promise<FileSystemDirectoryHandle> }
).showDirectoryPicker?.bind(window)
