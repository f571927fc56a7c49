import { nearest } from '@mk/errors'
import { type FileStore, joinPath } from '@mk/source'

/** Finds what is there under the name that a misspelled path was probably meant to be, part by part; undefined where nothing is near. */
export async function findNearestPath(
  store: FileStore,
  path: string,
  roots: readonly string[],
): Promise<string | undefined> {
  for (const root of rootOf(path) !== '' ? [''] : roots) {
    const found = await correctParts(store, path, root)
    if (found !== undefined) return found
  }
  return undefined
}

async function correctParts(store: FileStore, path: string, root: string): Promise<string | undefined> {
  const start = rootOf(path)
  const parts = path.slice(start.length).split('/')
  let here = start === '' ? root : start
  const corrected: string[] = []
  for (const part of parts) {
    const isThere = part === '' || (await isPresent(store, joinPath(here, part)))
    const name = isThere ? part : nearest(part, await store.list(here).catch(() => []))
    if (name === undefined) return undefined
    corrected.push(name)
    here = joinPath(here, name)
  }
  return `${start}${corrected.join('/')}`
}

/** What an absolute path begins with. */
const rootOf = (path: string): string => /^(?:[A-Za-z]:)?[/\\]/.exec(path)?.[0] ?? ''

const isPresent = (store: FileStore, path: string): Promise<boolean> =>
  store.stat(path).then(
    () => true,
    () => false,
  )
