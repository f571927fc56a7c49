import { defineError, defineIssues, failure, shortened, usage } from '@mk/errors'

const rules = defineIssues({
  'recipe-unreadable': usage<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `can't read the recipe ${file}: ${reason}`,
  ),
  'unknown-device': usage<{ readonly device: string; readonly known: readonly string[] }>(
    ({ device, known }) => `--device ${device}: there is no device '${device}'; use ${known.join(' or ')}`,
  ),
  'unknown-shell': usage<{ readonly shell: string; readonly known: readonly string[] }>(
    ({ shell, known }) => `--completion ${shell}: there is no script for that shell; use ${known.join(' or ')}`,
  ),
  'device-unavailable': usage<{ readonly device: string; readonly reason: string }>(
    ({ device, reason }) => `--device ${device}: ${reason}`,
  ),
  'preparation-interrupted': failure(() => 'interrupted before anything was written'),
  'own-code-ended-process': usage<{ readonly culprit: string }>(
    ({ culprit }) => `${culprit} ended the process before the command was through`,
  ),
  'own-code-failed': usage<{ readonly culprit: string; readonly problem: string }>(
    ({ culprit, problem }) => `${culprit} failed where nobody waits for it: ${shortened(problem, 300)}`,
  ),
  'download-interrupted': failure(
    () => 'interrupted while downloading; what has arrived is kept, and the same command goes on from there',
  ),
})

/** Tells what the commands themselves refuse, before any package of the merge is asked. */
export class CommandError extends defineError('CommandError', rules) {}
