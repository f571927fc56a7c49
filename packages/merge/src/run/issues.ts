import { defineIssues, failure, usage } from '@mk/errors'

/** Ends of a merge that was under way. */
export const runRules = defineIssues({
  'worker-failed': failure<{ readonly reason: string }>(({ reason }) => `a worker thread failed: ${reason}`),
  /** Only where the caller asks for it. */
  'values-not-finite': usage<{ readonly found: string }>(
    ({ found }) => `NaN or infinite values: ${found}; expected only finite ones`,
  ),
  interrupted: failure<{ readonly folder: string }>(
    ({ folder }) => `interrupted; the same command goes on from ${folder}, deleting that folder starts over`,
  ),
})
