import { readdir } from 'node:fs/promises'
import { isAbsolute, join, parse } from 'node:path'
import { nearest } from '@mk/errors'
import { sizeOf } from '../files/size-of.ts'

/** Finds what is there under the name that a misspelled path was probably meant to be, part by part; undefined where nothing is near. */
export async function findNearestPath(path: string, roots: readonly string[]): Promise<string | undefined> {
  for (const root of isAbsolute(path) ? [''] : roots) {
    const found = await correctParts(path, root)
    if (found !== undefined) return found
  }
  return undefined
}

async function correctParts(path: string, root: string): Promise<string | undefined> {
  const start = parse(path).root
  const parts = path.slice(start.length).split('/')
  let here = start === '' ? root : start
  const corrected: string[] = []
  for (const part of parts) {
    const isThere = part === '' || (await sizeOf(join(here, part))) !== undefined
    const name = isThere ? part : nearest(part, await readdir(here).catch(() => []))
    if (name === undefined) return undefined
    corrected.push(name)
    here = join(here, name)
  }
  return `${start}${corrected.join('/')}`
}
