import { stat } from 'node:fs/promises'
import { isSystemError, systemReason } from '@mk/errors'
import { parseGgufHeader } from '@mk/gguf'
import { type GgufFileHeader, readGgufHeader } from '@mk/gguf/node'
import { CommandError } from '../errors/command-error.ts'

/** Most headers of files without a large vocabulary fit. */
const firstBytes = 2 ** 20

/** `org/name/file.gguf`, with a revision or without, and the address of such a file. */
const hubFile =
  /^(?:https:\/\/huggingface\.co\/)?(?<id>[\w.-]+\/[\w.-]+)(?:@(?<revision>[^/]+)|\/(?:resolve|blob)\/(?<named>[^/]+))?\/(?<file>[^/]+\.gguf)$/

/**
 * Reads the header of a GGUF: of a local file, or of one at the hub (`org/name/file.gguf`, `org/name@revision/file.gguf`), of which
 * only the beginning is fetched.
 *
 * @throws GgufError, CheckpointError, SafetensorsError `not-a-file`, CommandError `gguf-unreadable`.
 */
export async function readHeader(file: string): Promise<GgufFileHeader> {
  const groups = hubFile.exec(file)?.groups
  if (groups === undefined || (await isThere(file))) return readLocalHeader(file)
  const { openHubFile } = await import('@mk/checkpoint')
  const revision = groups['revision'] ?? groups['named']
  const remote = await openHubFile(groups['id']!, { file: groups['file']!, revision })
  for (let wanted = firstBytes; ; wanted *= 2) {
    const bytes = await remote.read(0, Math.min(wanted, remote.byteCount))
    const header = parseGgufHeader(bytes, remote.byteCount, file)
    if (header !== undefined) return { ...header, fileBytes: remote.byteCount }
  }
}

async function readLocalHeader(file: string): Promise<GgufFileHeader> {
  try {
    return await readGgufHeader(file)
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new CommandError({ code: 'gguf-unreadable', file, reason: systemReason(error) }, { cause: error })
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
