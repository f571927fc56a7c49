import { type CommandDefinition, sharedOptions } from '@mk/cli'
import { placeOf, placeOptions, type QueueFlags, queueOption } from './queue-options.ts'

interface StatusFlags extends QueueFlags {
  readonly watch?: boolean
  readonly wait?: boolean
}

/** `mk-queue status`, which shows merges and workers. */
export const statusCommand: CommandDefinition<StatusFlags> = {
  name: 'mk-queue status',
  summary: 'Show how the merges of the queue are, and what each worker does.',
  operands: [{ name: 'id', summary: 'of one merge', isNeeded: ({ wait }) => wait === true }],
  declareOptions(command) {
    for (const option of [
      queueOption('--watch', 'draw it anew every second'),
      queueOption('--wait', 'until the merge has ended, and end as it ends'),
      ...placeOptions(),
      sharedOptions.json('print it as JSON, each part with what it failed of'),
      sharedOptions.quiet(),
      sharedOptions.verbose('with an error, say where in the code it was noticed'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-queue status', 'all merges, all workers'],
    ['mk-queue status merge-1b2c3d4e5f60 --wait', 'until that one has ended'],
  ],
  async act({ flags, operands: [id] }) {
    const { watch, wait, json, quiet = false } = flags
    const place = placeOf(flags)
    if (wait === true) {
      const { endAsMerge } = await import('./follow.ts')
      return endAsMerge(place, { id: id!, isQuiet: quiet, json: json ?? false })
    }
    if (watch === true) {
      const { follow } = await import('./follow.ts')
      await follow(place, { isQuiet: false, ...(id !== undefined && { id }) })
      return 0
    }
    const [{ readStatus }, { formatOne, formatQueue }, { describeScreen }] = await Promise.all([
      import('../jobs/read-status.ts'),
      import('./format-status.ts'),
      import('@mk/cli'),
    ])
    const status = await readStatus(place, id)
    const { width } = describeScreen(process.stdout)
    const text = id === undefined ? formatQueue(status, width) : formatOne(status, width)
    process.stdout.write(json ? `${JSON.stringify({ version: 1, ...status })}\n` : text)
    return 0
  },
}
