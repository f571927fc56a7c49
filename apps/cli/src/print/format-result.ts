import { counted } from '@mk/errors'
import type { MergePlan, MergeResult } from '@mk/merge'
import { formatBytes, formatSeconds } from './sizes.ts'
import { type PlainScreen, plainScreen } from './style.ts'
import { wrapText } from './wrap-text.ts'

/** A merge that is done. */
export interface MergeDone {
  readonly out: string
  readonly plan: MergePlan
  readonly result: MergeResult
  /** From the first byte of a download on. */
  readonly seconds: number
}

/** Formats the line of stdout that tells what was written, and the commits of what came from the hub. */
export function formatResult({ out, plan, result, seconds }: MergeDone, { width }: PlainScreen = plainScreen): string {
  const files = counted(plan.files.length, 'file')
  const commits = plan.inputs.flatMap(({ hub }) => (hub === undefined ? [] : [`${hub.id} at commit ${hub.commit}`]))
  const line = `${out}: ${counted(result.tensorCount, 'tensor')}, ${formatBytes(result.writtenBytes)} in ${files}, ${formatSeconds(seconds)}`
  return [line, ...commits].map((text) => `${wrapText(text, width, '  ')}\n`).join('')
}
