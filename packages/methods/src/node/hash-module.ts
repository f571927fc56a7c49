import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const importPattern = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])((?:\.|\/|file:)[^'"\n]*)\1/g

/**
 * Hashes a module and those that it imports by path, so that another version of any of them is told apart; packages that it
 * imports are not followed.
 * @throws the system's error where the module itself can't be read
 */
export function hashModule(path: string): string {
  const texts = new Map<string, string>()
  const waiting = [path]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file)) continue
    const text = file === path ? readFileSync(file, 'utf8') : readIfPresent(file)
    texts.set(file, text)
    for (const [, , specifier] of text.matchAll(importPattern)) waiting.push(locate(specifier!, file))
  }
  const hash = createHash('sha256')
  for (const text of [...texts.values()].sort()) hash.update(`${text.length}\0${text}`)
  return hash.digest('hex')
}

const locate = (specifier: string, from: string): string =>
  specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(dirname(from), specifier.replace(/[?#].*$/, ''))

/** What only looks like an import, as in a comment, may not be there. */
function readIfPresent(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
