import { stat } from 'node:fs/promises'
import { isSystemError, systemReason } from '@mk/errors'
import { type GgufFileHeader, readGgufHeader } from '@mk/gguf/node'
import { CommandError } from '../errors/command-error.ts'

/** `org/name/file.gguf`, with a revision or without, and the address of such a file. */
const hubFile =
  /^(?:https:\/\/huggingface\.co\/)?(?!\.{1,2}\/)(?<id>[\w.-]+\/[\w.-]+)(?:@(?<revision>[^/]+)|\/(?:resolve|blob)\/(?<named>[^/]+))?\/(?<file>(?:[^/]+\/)*[^/]+\.gguf)$/

/**
 * Reads the header of a GGUF: of a local file, or of one at the hub (`org/name/file.gguf`, `org/name@revision/file.gguf`), of which
 * only the beginning is fetched.
 *
 * @throws GgufError, CheckpointError, SafetensorsError `not-a-file`, CommandError `gguf-unreadable`.
 */
export async function readHeader(file: string): Promise<GgufFileHeader> {
  const groups = hubFile.exec(file)?.groups
  if (groups === undefined || (await isThere(file))) return readLocalHeader(file)
  const { readHubGgufHeader } = await import('@mk/checkpoint')
  const {
    id,
    file: name,
    revision,
    named,
  } = groups as { readonly id: string; readonly file: string; readonly [key: string]: string | undefined }
  return readHubGgufHeader(id, { file: name, revision: revision ?? named })
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
