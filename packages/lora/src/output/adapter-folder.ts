import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LoraError } from '../errors.ts'

/** The files of an adapter. */
const adapterFiles = ['adapter_model.safetensors', 'adapter_config.json', 'README.md'] as const

/**
 * Checks that a folder can become the output.
 * @throws LoraError 'extract-exists' or 'extract-strangers'
 */
export async function checkAdapterFolder(out: string, overwrite: boolean): Promise<void> {
  if (!existsSync(out)) return
  const names = await readdir(out)
  if (names.length === 0) return
  const strangers = names.filter((name) => !(adapterFiles as readonly string[]).includes(name))
  if (strangers.length > 0) throw new LoraError({ code: 'extract-strangers', folder: out, names: strangers })
  if (!overwrite) throw new LoraError({ code: 'extract-exists', folder: out })
}

/** A folder that grows beside its place, and takes it when it is complete. */
export interface AdapterFolder {
  readonly path: string
  /** What was decomposed so far; it is no part of the adapter. */
  readonly scratch: FileHandle
  /** @throws LoraError 'extract-exists' or 'extract-strangers' if something has come there meanwhile */
  complete(): Promise<void>
  discard(): Promise<void>
}

/** Makes the folder in which an adapter grows. */
export async function openAdapterFolder(out: string, overwrite: boolean): Promise<AdapterFolder> {
  await checkAdapterFolder(out, overwrite)
  const place = resolve(out)
  const path = join(dirname(place), `.${basename(place)}.${randomBytes(4).toString('hex')}.partial`)
  await mkdir(path, { recursive: true })
  const scratch = await open(join(path, 'factors'), 'w+')
  return {
    path,
    scratch,
    async complete() {
      await scratch.close()
      await rm(join(path, 'factors'))
      await checkAdapterFolder(out, overwrite)
      await rm(place, { recursive: true, force: true })
      await rename(path, place)
    },
    async discard() {
      await scratch.close().catch(() => {})
      await rm(path, { recursive: true, force: true })
    },
  }
}
