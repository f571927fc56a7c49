import { counted, defineIssues, failure, usage } from '@mk/errors'

const planAnew = 'plan anew'

/** Plan files, and merges that are carried out in parts. */
export const partRules = defineIssues({
  'plan-unreadable': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `${file}: cannot be read: ${reason}`,
  ),
  'plan-missing': usage<{ readonly file: string }>(({ file }) => `there is no plan ${file}`),
  /** `place` is in the JSON. */
  'plan-invalid': usage<{ readonly file: string; readonly problem: string; readonly place?: string }>(
    ({ file, problem, place }) =>
      `${file}${place === undefined ? '' : `: ${place}`}: ${problem}; expected a plan file as it was written`,
  ),
  'plan-version': usage<{ readonly file: string; readonly found: string; readonly known: number }>(
    ({ file, found, known }) => `${file} is a plan of version ${found}; this program knows version ${known}`,
  ),
  'plan-program': usage<{ readonly planned: string; readonly found: string }>(
    ({ planned, found }) =>
      `the plan was made by version ${planned} of mk, and this is ${found}, which may compute other bits; use that version, or ${planAnew}`,
  ),
  'plan-runtime': usage<{ readonly planned: string; readonly found: string }>(
    ({ planned, found }) =>
      `the plan is for the device ${planned}, not ${found}: all parts have to be computed alike; use the device of the plan, or ${planAnew}`,
  ),
  'plan-method': usage<{ readonly method: string; readonly isHere: boolean }>(({ method, isHere }) =>
    isHere
      ? `the code of the merge method '${method}' is another one than when the plan was made; ${planAnew}`
      : `the plan merges with '${method}', which is no built-in method; load its module, as for the plan`,
  ),
  'part-number': usage<{ readonly part: number; readonly of: number }>(
    ({ part, of }) => `part ${part} of ${of}: expected a whole number from 1 to the number of parts, as in 3/16`,
  ),
  'planned-input-changed': usage<{ readonly file: string; readonly isCopy: boolean }>(
    ({ file, isCopy }) =>
      `${file} has changed since the plan was made${isCopy ? ', or is no copy of what was planned for' : ''}; ${planAnew}, and delete what its parts have written`,
  ),
  'planned-input-gone': usage<{ readonly file: string; readonly isAtHub: boolean }>(
    ({ file, isAtHub }) =>
      `${file} is not here${isAtHub ? ', though it is at the hub' : ''}; say where the models are seen from here`,
  ),
  'stream-pickles': usage<{ readonly model: string }>(
    ({ model }) =>
      `${model}: a torch file tells where its tensors lie only when it is here; download it, or give the model as safetensors`,
  ),
  'output-of-parts': usage<{ readonly folder: string; readonly isOther: boolean }>(({ folder, isOther }) =>
    isOther
      ? `${folder} has parts of another plan in it; delete it, or give another output`
      : `${folder} has parts of a merge in it, and is for them to finish; delete it, or give another output`,
  ),
  'output-of-one-run': usage<{ readonly folder: string }>(
    ({ folder }) =>
      `${folder} is of a merge in one run, which is under way or was interrupted; delete it, or give another output`,
  ),
  'parts-lost': usage<{ readonly folder: string; readonly file: string }>(
    ({ folder, file }) =>
      `${folder}: ${file}, which parts have written to, is gone or has another size; delete the folder to start over`,
  ),
  /** `done` are those of the partition of which most are. */
  'parts-missing': failure<{
    readonly folder: string
    readonly of: number
    readonly missing: readonly number[]
  }>(({ folder, of, missing }) =>
    of === 0
      ? `no part is done in ${folder}`
      : `${counted(missing.length, 'part')} of ${of} ${missing.length === 1 ? 'is' : 'are'} not done in ${folder}: ${listed(missing)}`,
  ),
})

const most = 20

/** Consecutive numbers as ranges. */
function listed(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] + 1 === number) last[1] = number
    else ranges.push([number, number])
  }
  const shown = ranges.slice(0, most).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`))
  return ranges.length > most ? `${shown.join(', ')}, …` : shown.join(', ')
}
