import { defineIssues, failure, quoted, usage } from '@mk/errors'

/** A folder that has a meaning of its own and is no output. */
export type TakenPlace = 'the current folder' | 'the home folder' | 'the folder of the recipe'

const listedNames = 8

/** Folders that can't be an output, and what can go wrong while one is written. */
export const outputRules = defineIssues({
  'output-unnamed': usage(() => 'the name of the output folder is empty; expected a folder of its own'),
  'output-place': usage<{ readonly folder: string; readonly taken: TakenPlace; readonly isAbove: boolean }>(
    ({ folder, taken, isAbove }) =>
      `${folder} is ${isAbove ? 'above ' : ''}${taken}; an output gets a folder of its own`,
  ),
  'output-is-input': usage<{ readonly folder: string; readonly input: string }>(
    ({ folder, input }) => `${folder} would be written over, or into, the input ${input}; give another place`,
  ),
  'kept-is-output': usage<{ readonly folder: string }>(
    ({ folder }) =>
      `${folder} is to keep a merge that others are made of, but the output is in its way; choose another folder for one of them`,
  ),
  'output-exists': usage<{ readonly folder: string; readonly entryCount: number }>(
    ({ folder, entryCount }) => `${folder} has files in it (${entryCount}); give another folder`,
  ),
  'output-strangers': usage<{ readonly folder: string; readonly names: readonly string[] }>(
    ({ folder, names }) =>
      `${folder} has files in it that no merge writes, and is not replaced: ${listed(names)}; move them away, or give another folder`,
  ),
  'output-unwritable': usage<{ readonly folder: string; readonly reason: string }>(
    ({ folder, reason }) => `can't write to ${folder}: ${reason}`,
  ),
  /** `host` is another machine's. */
  'output-busy': failure<{ readonly folder: string; readonly process: number; readonly host?: string }>(
    ({ folder, process, host }) =>
      `process ${process}${host === undefined ? '' : ` on ${host}`} is writing to ${folder}; wait for it or end it (one that can't be seen from here counts as ended after two minutes without a sign of life)`,
  ),
  'output-lost': failure<{ readonly folder: string }>(
    ({ folder }) => `another merge has taken ${folder} over, since this one gave no sign of life for two minutes`,
  ),
  'plan-outdated': failure<{ readonly file: string; readonly isGone: boolean }>(
    ({ file, isGone }) =>
      `${file} ${isGone ? 'is gone' : 'has changed'} since it was read for the plan; nothing was written, and the same command plans anew`,
  ),
  'input-changed': failure<{ readonly file: string }>(
    ({ file }) => `${file} has changed while it was merged; what was written is a mixture and was deleted`,
  ),
  'output-changed': failure<{ readonly file: string }>(
    ({ file }) =>
      `${file} has been changed by another program while it was written; what was written was deleted: merge again, with nothing else at work there`,
  ),
  'copy-unreadable': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `${file}: cannot be read: ${reason}; the output gets a copy of it`,
  ),
  'write-failed': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `can't write ${file}: ${reason}`,
  ),
  'disk-space': failure<{ readonly folder: string; readonly neededBytes: number; readonly freeBytes: number }>(
    ({ folder, neededBytes, freeBytes }) =>
      `${folder}: the output needs ${neededBytes} bytes, but only ${freeBytes} are free`,
  ),
})

function listed(names: readonly string[]): string {
  const shown = names.slice(0, listedNames).map((name) => quoted(name))
  return names.length > listedNames ? `${shown.join(', ')} and ${names.length - listedNames} more` : shown.join(', ')
}
