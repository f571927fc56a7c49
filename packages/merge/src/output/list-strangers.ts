import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileRole } from '@mk/checkpoint'
import { readBytes, readSafetensorsHeader } from '@mk/safetensors/node'
import { findRecordFile, isWrittenName, parseRecord, tellsUse } from '../plan/output-names.ts'

/**
 * Lists what is in a folder that no merge writes there: all but weights, their index, config, tokenizer files, recipe and card, as
 * paths inside it. A file whose use its name doesn't tell may be anyone's, unless the record of that merge has it; code counts as a
 * merge's only where the model brings its own.
 */
export async function listStrangers(folder: string, entries: readonly string[]): Promise<readonly string[]> {
  const recorded = await readRecord(folder, entries)
  const hasOwnCode = entries.some((name) => /^tokenization_\w+\.py$/.test(name)) || (await namesCode(folder))
  const isKnown = (path: string) => {
    const isOwnCode = hasOwnCode && fileRole(path) === 'code'
    return isWrittenName(path) || tellsUse(path) || recorded.has(path) || isOwnCode
  }
  const mayHaveFolder = (path: string) => [...recorded].some((name) => name.startsWith(`${path}/`))
  const strangers: string[] = []
  const visit = async (path: string, depth: number): Promise<void> => {
    if (!(await lstat(join(folder, path))).isDirectory()) {
      if (!isKnown(path)) strangers.push(path)
      return
    }
    const names = depth === 0 || mayHaveFolder(path) ? await readdir(join(folder, path)) : []
    if (names.length === 0) strangers.push(path)
    for (const name of names) await visit(`${path}/${name}`, depth + 1)
  }
  for (const name of entries) await visit(name, 0)
  return strangers
}

/** What the merge has copied that wrote this folder, as far as names don't tell. */
async function readRecord(folder: string, entries: readonly string[]): Promise<ReadonlySet<string>> {
  const file = findRecordFile(entries)
  if (file === undefined) return new Set()
  const header = await readSafetensorsHeader(join(folder, file)).catch(() => undefined)
  return new Set(header === undefined ? [] : parseRecord(header.metadata))
}

/** What is longer is no config. */
const configBytes = 2 ** 26

const namesCode = (folder: string): Promise<boolean> =>
  readBytes(join(folder, 'config.json'), configBytes).then(
    (bytes) => bytes.includes('"auto_map"'),
    () => false,
  )
