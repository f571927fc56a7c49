import { decodeText, type FileStore, joinPath, readStart } from '@mk/source'
import type { FileStates } from './file-states.ts'
import { readingIfListed } from './read-file.ts'

/** What a model card says of the license, in the words of the hub. */
export interface ModelLicense {
  /** An identifier of the hub's, such as `apache-2.0`, or `other`. */
  readonly id: string
  /** Of a license that the hub has no identifier for. */
  readonly name?: string
  readonly link?: string
}

/** A card's settings stand at its top. */
const topBytes = 64 * 2 ** 10

/**
 * Reads the license that the README.md of a folder states at its top; undefined where it states none, or is no file.
 * @param listed what is in the folder
 * @throws CheckpointError `unreadable-model`; SafetensorsError `file-shrank`
 */
export async function readLicense(
  store: FileStore,
  folder: string,
  listed: FileStates,
): Promise<ModelLicense | undefined> {
  const card = joinPath(folder, 'README.md')
  const start = await readingIfListed(card, listed, async () =>
    (await store.stat(card)).kind === 'file' ? readStart(store, card, topBytes) : undefined,
  )
  return start && parseLicense(decodeText(start))
}

/** Parses the settings at the top of a model card as far as they are about the license. */
export function parseLicense(card: string): ModelLicense | undefined {
  const [, settings] = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(\r?\n|$)/.exec(card) ?? []
  if (settings === undefined) return undefined
  const valueOf = (key: string): string | undefined => {
    const [, inline = '', listed] =
      new RegExp(`^${key}:[ \\t]*(.*)(?:\\r?\\n[ \\t]*-[ \\t]+(.*))?`, 'm').exec(settings) ?? []
    const value = unquoted(inline.trim() === '' ? (listed ?? '') : inline)
    return /^[^\p{Cc}]{1,200}$/u.test(value) ? value : undefined
  }
  const id = valueOf('license')
  if (id === undefined || !/^[\w.+-]+$/.test(id)) return undefined
  const [name, link] = [valueOf('license_name'), valueOf('license_link')]
  return { id: id.toLowerCase(), ...(name !== undefined && { name }), ...(link !== undefined && { link }) }
}

const unquoted = (text: string): string =>
  text
    .trim()
    .replace(/\s#.*$/, '')
    .replace(/^\[\s*([^,\]]*?)\s*\]$/, '$1')
    .replace(/^(['"])(.*)\1$/, '$2')
    .trim()
