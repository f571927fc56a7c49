import { defineError, defineIssues, failure, shortened, usage } from '@mk/errors'

const rules = defineIssues({
  'recipe-unreadable': usage<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `can't read the recipe ${file}: ${reason}`,
  ),
  'model-unnamed': usage(() => 'the name of a model is empty; expected a folder, a file, or an id of the hub'),
  'page-unwritable': usage<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `can't write the page ${file}: ${reason}`,
  ),
  'gguf-out': usage<{ readonly out: string; readonly problem: string }>(
    ({ out, problem }) => `can't write ${out}: ${problem}; expected the path of a new .gguf file`,
  ),
  'gguf-unreadable': usage<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) =>
      `can't read ${file}: ${reason}; expected a GGUF file, or one at the hub as org/name/file.gguf`,
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
  'option-missing': usage<{ readonly option: string; readonly instead: string }>(
    ({ option, instead }) => `${option} is missing: expected it, or ${instead}`,
  ),
  'slurm-missing': usage<{ readonly command: string }>(
    ({ command }) => `there is no ${command} here: expected the commands of Slurm, as on the login node of a cluster`,
  ),
  'slurm-refused': usage<{ readonly command: string; readonly reason: string }>(
    ({ command, reason }) => `${command} refuses: ${shortened(reason, 300)}`,
  ),
  'slurm-unreachable': failure<{ readonly command: string; readonly reason: string }>(
    ({ command, reason }) => `${command}: ${shortened(reason, 300)}`,
  ),
  'plan-needed': usage<{ readonly option: string }>(
    ({ option }) => `${option} is of a plan; expected --plan FILE, which --plan-out has written`,
  ),
  'plan-operands': usage<{ readonly found: number }>(
    ({ found }) => `--plan has the recipe in it: expected the folder of the output alone, not ${found} arguments`,
  ),
  'part-and-finish': usage(() => 'expected --part or --finish, not both: finish when all parts are done'),
  'option-of-plan': usage<{ readonly option: string }>(
    ({ option }) => `${option} has to be given with --plan-out: what it says is in the plan`,
  ),
  'preparation-interrupted': failure(() => 'interrupted before anything was written'),
  'own-code-ended-process': usage<{ readonly culprit: string }>(
    ({ culprit }) => `${culprit} ended the process before the command was through`,
  ),
  'own-code-failed': usage<{ readonly culprit: string; readonly problem: string }>(
    ({ culprit, problem }) => `${culprit} failed where nobody waits for it: ${shortened(problem, 300)}`,
  ),
  'upload-interrupted': failure<{ readonly id: string }>(
    ({ id }) =>
      `interrupted while uploading; nothing of ${id} has changed, and the hub keeps what has arrived for the next try`,
  ),
  'download-interrupted': failure(
    () => 'interrupted while downloading; what has arrived is kept, and the same command goes on from there',
  ),
})

/** Tells what the commands themselves refuse, before any package of the merge is asked. */
export class CommandError extends defineError('CommandError', rules) {}
