import { type CommandDefinition, sharedOptions } from '@mk/cli'
import { placeOf, placeOptions, type QueueFlags } from './queue-options.ts'

/** `mk-queue cancel`, which ends a merge before it is done. */
export const cancelCommand: CommandDefinition<QueueFlags> = {
  name: 'mk-queue cancel',
  summary: 'Cancel a merge. What is written so far stays, and goes on when it is submitted again.',
  operands: [{ name: 'id', summary: 'of the merge', isNeeded: () => true }],
  declareOptions(command) {
    for (const option of [
      ...placeOptions(),
      sharedOptions.json('print how it is then, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('with an error, say where in the code it was noticed'),
    ])
      command.addOption(option)
  },
  examples: [['mk-queue cancel merge-1b2c3d4e5f60', 'workers leave its parts within seconds']],
  async act({ flags, operands: [id] }) {
    const { cancelMerge } = await import('../jobs/cancel-merge.ts')
    const merge = await cancelMerge(id!, placeOf(flags))
    process.stdout.write(flags.json ? `${JSON.stringify({ version: 1, ...merge })}\n` : `${merge.id}: ${merge.state}\n`)
    return 0
  },
}
