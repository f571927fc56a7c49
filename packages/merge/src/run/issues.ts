import { defineIssues, failure } from '@mk/errors'

/** Ends of a merge that was under way. */
export const runRules = defineIssues({
  'worker-failed': failure<{ readonly reason: string }>(({ reason }) => `a worker thread failed: ${reason}`),
  interrupted: failure<{ readonly folder: string }>(
    ({ folder }) => `interrupted; the same command goes on from ${folder}, deleting that folder starts over`,
  ),
})
