import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemReason } from '@mk/errors'
import { CommandError } from '../errors/command-error.ts'

const refused = (file: string, cause: unknown) =>
  new CommandError({ code: 'page-unwritable', file, reason: systemReason(cause) }, { cause })

/** Checks that a page can be written, before hours of reading. @throws CommandError 'page-unwritable' */
export async function checkPage(file: string): Promise<void> {
  const stats = await stat(file).catch(() => undefined)
  if (stats?.isDirectory())
    throw new CommandError({ code: 'page-unwritable', file, reason: 'it is a folder, not a file' })
  await access(stats === undefined ? dirname(resolve(file)) : file, constants.W_OK).catch((cause: unknown) => {
    throw refused(file, cause)
  })
}

/** Writes a page, in the place of one that is there. @throws CommandError 'page-unwritable' */
export async function writePage(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    throw refused(file, cause)
  })
}
