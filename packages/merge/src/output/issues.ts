import { defineIssues, failure, usage } from '@mk/errors'

/** Folders that can't be an output, and what can go wrong while one is written. */
export const outputRules = defineIssues({
  'output-is-input': usage<{ readonly folder: string; readonly input: string }>(
    ({ folder, input }) => `${folder} would be written over, or into, the input ${input}; give another folder`,
  ),
  'output-exists': usage<{ readonly folder: string; readonly entryCount: number }>(
    ({ folder, entryCount }) => `${folder} has files in it (${entryCount}); give another folder`,
  ),
  'output-unwritable': usage<{ readonly folder: string; readonly reason: string }>(
    ({ folder, reason }) => `can't write to ${folder}: ${reason}`,
  ),
  'output-busy': failure<{ readonly folder: string; readonly process: number }>(
    ({ folder, process }) =>
      `process ${process} is writing to ${folder}; wait for it or end it (if it is no merge, delete that folder)`,
  ),
  'write-failed': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `can't write ${file}: ${reason}`,
  ),
  'disk-space': failure<{ readonly folder: string; readonly neededBytes: number; readonly freeBytes: number }>(
    ({ folder, neededBytes, freeBytes }) =>
      `${folder}: the output needs ${neededBytes} bytes, but only ${freeBytes} are free`,
  ),
})
