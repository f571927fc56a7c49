import { isSystemError, systemReason } from '@mk/errors'
import { readBytes } from '@mk/safetensors/node'
import { MergeError } from '../errors.ts'
import { replaceDurably } from '../output/checked-json.ts'
import { parsePlanFile } from './parse-plan-file.ts'
import { formatPlanFile, type PlanFile } from './plan-file.ts'

/** What is longer is no text that could be held. */
const longest = 2 ** 29

/** Writes a plan file, so that at its place there is a whole one or what was there before. @throws MergeError 'write-failed' */
export async function writePlanFile(path: string, file: PlanFile): Promise<void> {
  try {
    await replaceDurably(path, formatPlanFile(file))
  } catch (cause) {
    throw new MergeError({ code: 'write-failed', file: path, reason: systemReason(cause) }, { cause })
  }
}

/** Reads a plan file and checks all of it. @throws MergeError 'plan-missing', 'plan-unreadable', 'plan-invalid', 'plan-version' */
export async function readPlanFile(path: string): Promise<PlanFile> {
  let bytes: Uint8Array
  try {
    bytes = await readBytes(path, longest)
  } catch (cause) {
    if (isSystemError(cause) && ['ENOENT', 'ENOTDIR'].includes(cause.code ?? ''))
      throw new MergeError({ code: 'plan-missing', file: path }, { cause })
    throw new MergeError({ code: 'plan-unreadable', file: path, reason: systemReason(cause) }, { cause })
  }
  return parsePlanFile(new TextDecoder().decode(bytes), path)
}
