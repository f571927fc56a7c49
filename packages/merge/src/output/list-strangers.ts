import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileRole } from '@mk/checkpoint'

/** Weights, and the small files that are written and not copied. */
const written =
  /^(model(-\d{5,}-of-\d{5,})?\.safetensors|model\.gguf|model\.safetensors\.index\.json|config\.json|mergekit_config\.yml|README\.md)$/

/**
 * Lists what is in a folder that no merge writes there: all but weights, their index, config, tokenizer files, recipe and card, as
 * paths inside it. Code counts as a merge's only where the model brings its own; a file whose use its name doesn't tell may be
 * anyone's, though a merge may have copied it.
 */
export async function listStrangers(folder: string, entries: readonly string[]): Promise<readonly string[]> {
  const hasOwnCode = entries.some((name) => /^tokenization_\w+\.py$/.test(name)) || (await namesCode(folder))
  const isKnown = (path: string) => {
    const role = fileRole(path)
    return written.test(path) || (role !== undefined && role !== 'other' && (role !== 'code' || hasOwnCode))
  }
  const strangers: string[] = []
  for (const name of entries) {
    if (!(await lstat(join(folder, name))).isDirectory()) {
      if (!isKnown(name)) strangers.push(name)
      continue
    }
    const inside = (await readdir(join(folder, name))).map((file) => `${name}/${file}`)
    if (inside.length === 0) strangers.push(name)
    for (const path of inside)
      if (!isKnown(path) || (await lstat(join(folder, path))).isDirectory()) strangers.push(path)
  }
  return strangers
}

const namesCode = (folder: string): Promise<boolean> =>
  readFile(join(folder, 'config.json'), 'utf8').then(
    (text) => text.includes('"auto_map"'),
    () => false,
  )
