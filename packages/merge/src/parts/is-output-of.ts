import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { isLaidOut } from '../output/data-files.ts'
import type { OutputPlace } from '../output/output-place.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import { outputNames } from '../plan/output-names.ts'
import type { PlanFile } from './plan-file.ts'

/**
 * Tells whether the output of a plan is there already: files with the headers and texts of the plan, written after it was made, and nothing
 * of it left in a partial folder. The card has things in it that no plan knows.
 */
export async function isOutputOf({ plan, madeAt }: PlanFile, { out, partial }: OutputPlace): Promise<boolean> {
  if (!existsSync(out) || existsSync(partial)) return false
  try {
    for (const file of listDataFiles(plan)) {
      const path = join(out, file.name)
      if (!(await isLaidOut(path, file))) return false
      if ((await stat(path)).mtimeMs < Date.parse(madeAt)) return false
    }
    for (const { name, text } of plan.documents)
      if (name !== outputNames.card && (await ifPresent(readFile(join(out, name), 'utf8'))) !== text) return false
    return true
  } catch {
    return false
  }
}
