import type { MergePlan, MergeResult } from '@mk/merge'
import { formatBytes, formatSeconds } from './sizes.ts'

/** A merge that is done. */
export interface MergeDone {
  readonly out: string
  readonly plan: MergePlan
  readonly result: MergeResult
  /** From the first byte of a download on. */
  readonly seconds: number
}

/** Formats the line of stdout that tells what was written, and the commits of what came from the hub. */
export function formatResult({ out, plan, result, seconds }: MergeDone): string {
  const files = `${plan.files.length} ${plan.files.length === 1 ? 'file' : 'files'}`
  const commits = plan.inputs.flatMap(({ hub }) => (hub === undefined ? [] : [`${hub.id} at commit ${hub.commit}\n`]))
  return `${out}: ${result.tensorCount} tensors, ${formatBytes(result.writtenBytes)} in ${files}, ${formatSeconds(seconds)}\n${commits.join('')}`
}
