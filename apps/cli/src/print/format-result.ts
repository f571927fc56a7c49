import { counted, shortened } from '@mk/errors'
import { type KeptStage, type MergePlan, type MergeResult, plannedModels } from '@mk/merge'
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
  /** The merges that the output is made of and that were to be kept. */
  readonly kept?: readonly KeptStage[]
}

/** Formats the line of stdout that tells what was written, and the commits of what came from the hub. */
export function formatResult(
  { out, plan, result, seconds, kept = [] }: MergeDone,
  { width }: PlainScreen = plainScreen,
): string {
  const files = counted(plan.files.length, 'file')
  const commits = plannedModels(plan).flatMap(({ hub }) =>
    hub === undefined ? [] : [`${hub.id} at commit ${hub.commit}`],
  )
  const line = `${out}: ${counted(result.tensorCount, 'tensor')}, ${formatBytes(result.writtenBytes)} in ${files}, ${formatSeconds(seconds)}`
  const weights = (result.weights ?? []).map(({ rule, stage, models }) => {
    const each = models.map(({ model, weight }) => `${shortened(model, 200)} ${Number(weight.toPrecision(6))}`)
    return `weights by ${rule}${stage === undefined ? '' : ` of ${shortened(stage, 200)}`}: ${each.join(', ')}`
  })
  const lines = [line, ...weights, ...new Set(commits)].map((text) => `${wrapText(text, width, '  ')}\n`)
  return `${formatKept(kept, { width })}${lines.join('')}`
}

/** Formats a line for each merge that was to be kept. */
export const formatKept = (kept: readonly KeptStage[], { width }: Pick<PlainScreen, 'width'>): string =>
  kept
    .map(
      ({ folder, isReused }) =>
        `${wrapText(`${folder}: ${isReused ? 'was there already' : 'written'}`, width, '  ')}\n`,
    )
    .join('')
