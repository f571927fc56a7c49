import { isPlanOnly, type MergeFlags } from '../commands/merge-flags.ts'
import { readModelArgument } from '../commands/model-argument.ts'
import { type MergeCommand, runMergeCommand } from '../commands/run-merge-command.ts'
import { groupedOption } from '../commands/shared-options.ts'

interface FillFlags extends MergeFlags {
  readonly prefix?: string
}

const definition: MergeCommand<FillFlags> = {
  name: 'mk-fill',
  summary:
    "Put a model's tensors back into a larger one, such as a merged language model into the vision model that its parts came from.",
  operands: [
    { name: 'whole', summary: 'the larger model: a folder, or org/name at the hub', isNeeded: () => true },
    { name: 'part', summary: 'the model whose tensors take their places in it', isNeeded: () => true },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isPlanOnly(flags) },
  ],
  declareOptions: (command) =>
    command.addOption(
      groupedOption(
        'recipe',
        '--prefix <text>',
        'where the part lies in the names of the larger model, such as model.language_model; found if absent',
      ),
    ),
  examples: [
    ['mk-fill vision-model merged-text-model out', 'the vision model with another language model in it'],
    ['mk-fill vision-model merged-text-model --dry-run', 'see first which tensors take which places'],
    ['mk-fill whole part out --out-dtype bfloat16', 'with all tensors in bfloat16, not as the larger model has them'],
  ],
  async act({ flags: { prefix }, operands: [whole, part, out] }) {
    return {
      text: '',
      file: 'mk-fill',
      isGenerated: true,
      out,
      async prepare(options) {
        const { prepareFill } = await import('../commands/merging.ts')
        const models = { whole: await readModelArgument(whole!), part: await readModelArgument(part!) }
        return prepareFill({ ...models, ...(prefix !== undefined && { prefix }) }, options)
      },
    }
  },
}

/** Runs `mk-fill`, which puts a model's tensors back into a larger one. @returns the exit status */
export const mkFill = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
