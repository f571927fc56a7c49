import { type FileHandle, open } from 'node:fs/promises'
import { ifPresent } from '@mk/errors'
import { layoutFile } from '@mk/safetensors'
import type { MergePlan } from '../plan/merge-plan.ts'

/** Gives a data file its header and its full size. */
export async function layOut(handle: FileHandle, plan: MergePlan, index: number): Promise<void> {
  const header = headerOf(plan, index)
  for (let written = 0; written < header.length;)
    written += (await handle.write(header, written, header.length - written, written)).bytesWritten
  await handle.truncate(plan.files[index]!.fileBytes)
}

/** Compares a data file with its plan, as far as its header; undefined where there is none. @throws what the operating system says */
export async function readFileHeader(
  file: string,
  plan: MergePlan,
  index: number,
): Promise<{ readonly fileBytes: number; readonly isAsPlanned: boolean } | undefined> {
  const header = headerOf(plan, index)
  const handle = await ifPresent(open(file, 'r'))
  if (handle === undefined) return undefined
  try {
    const found = new Uint8Array(header.length)
    for (let read = 0; read < found.length;) {
      const { bytesRead } = await handle.read(found, read, found.length - read, read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return { fileBytes: (await handle.stat()).size, isAsPlanned: Buffer.compare(found, header) === 0 }
  } finally {
    await handle.close()
  }
}

function headerOf({ tensors, files }: MergePlan, index: number): Uint8Array {
  const inFile = tensors.filter(({ file }) => file === index)
  return layoutFile(inFile, files[index]!.metadata).header
}
