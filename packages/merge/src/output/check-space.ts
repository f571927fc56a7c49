import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'

export interface SpaceNeed {
  /** A folder, which need not exist yet. */
  readonly folder: string
  readonly bytes: number
}

export const spaceForOutput = ({ files }: MergePlan, out: string): SpaceNeed => ({
  folder: out,
  bytes: files.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
})

/** Checks that there is room. @throws MergeError 'disk-space' where a disk has less room than all that is to be written to it */
export async function checkSpace(needs: readonly SpaceNeed[]): Promise<void> {
  const disks = new Map<number, { readonly folder: string; neededBytes: number; readonly freeBytes: number }>()
  for (const { folder, bytes } of needs) {
    const place = existingParent(resolve(folder))
    const { dev } = statSync(place)
    const { bavail, bsize } = statfsSync(place)
    const disk = disks.get(dev) ?? { folder, neededBytes: 0, freeBytes: bavail * bsize }
    disk.neededBytes += bytes
    disks.set(dev, disk)
  }
  for (const disk of disks.values())
    if (disk.neededBytes > disk.freeBytes) throw new MergeError({ code: 'disk-space', ...disk })
}

/** Finds the folder itself, or the nearest one above it that exists. */
export function existingParent(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingParent(dirname(folder))
}
