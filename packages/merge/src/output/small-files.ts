import { writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readBytes } from '@mk/safetensors/node'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { makeFolder } from './make-folder.ts'
import { systemReason } from '@mk/errors'

/** Writes the small files of an output: copies and documents. @throws MergeError 'copy-unreadable'; the system's error where a file can't be written */
export async function writeSmallFiles({ copies, documents }: MergePlan, folder: string): Promise<void> {
  for (const { name, from } of copies) {
    const bytes = await readBytes(from, Infinity).catch((cause: unknown) => {
      throw new MergeError({ code: 'copy-unreadable', file: from, reason: systemReason(cause) }, { cause })
    })
    await makeFolder(dirname(join(folder, name)))
    await writeFile(join(folder, name), bytes)
  }
  for (const { name, text } of documents) writeFileSync(join(folder, name), text)
}
