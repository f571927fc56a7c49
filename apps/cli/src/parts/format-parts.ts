import { counted } from '@mk/errors'
import type { MergePlan } from '@mk/merge'
import type { PartResult, PartsState, PlannedPart } from '@mk/merge/parts'
import { formatBytes, formatSeconds } from '../print/sizes.ts'
import type { PlainScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

type Width = Pick<PlainScreen, 'width'>

interface PartDone {
  readonly out: string
  readonly result: PartResult
  readonly seconds: number
}

/** Formats the line that tells what a part has written. */
export function formatPart({ out, result, seconds }: PartDone, { width }: Width): string {
  const { part, of, tensorCount, writtenBytes, resumedTensors } = result
  const what =
    tensorCount > 0 && resumedTensors === tensorCount
      ? 'was done already'
      : `${counted(tensorCount, 'tensor')}, ${formatBytes(writtenBytes)}, ${formatSeconds(seconds)}`
  return `${wrapText(`${out}: part ${part} of ${of}: ${what}`, width, '  ')}\n`
}

/** Formats what a part will do. */
export function formatPlannedPart({ part, of, ...planned }: PlannedPart, plan: MergePlan, { width }: Width): string {
  const { tensors, readBytes, writtenBytes } = planned
  const shared = tensors.filter(({ share }) => share !== undefined).length
  const names = tensors.map(({ tensor }) => plan.tensors[tensor]!.name)
  const range = names.length === 0 ? '' : `: ${names.length === 1 ? names[0] : `${names[0]} to ${names.at(-1)}`}`
  const lines = [
    `part ${part} of ${of}: reads ${formatBytes(readBytes)} and writes ${formatBytes(writtenBytes)}`,
    `${counted(tensors.length, 'tensor')}${shared === 0 ? '' : `, ${shared} of them shared with other parts`}${range}`,
  ]
  return lines.map((line) => `${wrapText(line, width, '  ')}\n`).join('')
}

/** Formats which parts of an output are done. */
export function formatStates(out: string, states: readonly PartsState[], { width }: Width): string {
  const lines =
    states.length === 0
      ? [`${out}: no part is done`]
      : states.map(
          ({ of, done, missing }) =>
            `${out}: ${done.length} of ${counted(of, 'part')} done${missing.length === 0 ? '' : `; not ${missing.join(', ')}`}`,
        )
  return lines.map((line) => `${wrapText(line, width, '  ')}\n`).join('')
}
