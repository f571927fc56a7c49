import { type CommandDefinition, positiveInteger, sharedOptions } from '@mk/cli'
import { placeOf, placeOptions, type QueueFlags, queueHeading, queueOption } from './queue-options.ts'

interface SubmitFlags extends QueueFlags {
  readonly parts: number
  readonly attempts: number
  readonly backoff: number
  readonly overwrite?: boolean
  readonly strict?: boolean
  readonly wait?: boolean
}

/** `mk-queue submit`, which puts a merge into the queue. */
export const submitCommand: CommandDefinition<SubmitFlags> = {
  name: 'mk-queue submit',
  summary: 'Put a merge into the queue, in parts that workers do.',
  operands: [
    { name: 'plan', summary: 'the file that mergekit-yaml --plan-out wrote', isNeeded: () => true },
    { name: 'out', summary: 'the folder to write, on a file system that all workers share', isNeeded: () => true },
  ],
  declareOptions(command) {
    for (const option of [
      queueOption('--parts <count>', 'how many parts').argParser(positiveInteger).default(16),
      queueOption('--attempts <count>', 'how often what fails is tried, in all').argParser(positiveInteger).default(4),
      queueOption('--backoff <seconds>', 'before the second attempt; each further wait is twice as long')
        .argParser(positiveInteger)
        .default(15),
      queueOption('--wait', 'show how it goes on, and end as it ends'),
      ...placeOptions(),
      sharedOptions.overwrite('replace an output that is there'),
      sharedOptions
        .strict('fail where a tensor, or one it is made of, has NaN or infinite values')
        .helpGroup(queueHeading),
      sharedOptions.json('print the id, or how it ended, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('with an error, say where in the code it was noticed'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-queue submit plan.json /shared/merged --parts 64', 'in 64 parts'],
    ['mk-queue submit plan.json /shared/merged --wait', 'and wait for the end'],
  ],
  async act({ flags, operands: [plan, out] }) {
    const { parts, attempts, backoff, overwrite = false, strict = false, wait, json, quiet = false } = flags
    const { submitMerge } = await import('../jobs/submit-merge.ts')
    const place = placeOf(flags)
    const submitted = await submitMerge(
      { plan: plan!, out: out!, parts, overwrite, strict, retry: { attempts, backoffMs: backoff * 1000 } },
      place,
    )
    const { id, isKnown, notes } = submitted
    if (!quiet) for (const note of notes) process.stderr.write(`note: ${note}\n`)
    if (wait !== true) {
      const text = isKnown ? `${id} (in the queue already)` : id
      process.stdout.write(json ? `${JSON.stringify({ version: 1, ...submitted })}\n` : `${text}\n`)
      return 0
    }
    const { endAsMerge } = await import('./follow.ts')
    return endAsMerge(place, { id, isQuiet: quiet, json: json ?? false })
  },
}
