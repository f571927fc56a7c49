import { isPlanOnly, type MergeCommand, type MergeFlags, nameRecipe, readRecipe, runMergeCommand } from '@mk/cli'
import { Option } from 'commander'

interface MoeFlags extends MergeFlags {
  readonly iUnderstandThisIsNotUsefulWithoutTraining?: boolean
}

const definition: MergeCommand<MoeFlags> = {
  name: 'mergekit-moe',
  summary: 'Make a mixture of experts of dense models by a YAML file with experts and prompts.',
  operands: [
    { name: 'config', summary: 'the file, in YAML; - is stdin', isNeeded: () => true },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isPlanOnly(flags) },
  ],
  declareOptions: (command) =>
    command
      .option(
        '--i-understand-this-is-not-useful-without-training',
        'take experts that are all of one model, between which the router can make no difference',
      )
      // Of mergekit: how the model is loaded that reads the prompts.
      .addOption(new Option('--load-in-4bit').hideHelp())
      .addOption(new Option('--load-in-8bit').hideHelp()),
  examples: [
    ['mergekit-moe experts.yml mixture', 'make the mixture that experts.yml describes'],
    ['mergekit-moe experts.yml --dry-run', 'see first what would come out; no prompt is read'],
    ['mergekit-moe experts.yml mixture-gguf --out-format gguf --out-dtype q8_0', 'the same for llama.cpp'],
  ],
  async act({ flags, operands: [config, out] }) {
    const file = nameRecipe(config!)
    const text = await readRecipe(config!)
    return {
      text,
      file,
      out,
      async prepare(options) {
        const { prepareMoe } = await import('@mk/moe')
        const allowEqualExperts = flags.iUnderstandThisIsNotUsefulWithoutTraining ?? false
        return prepareMoe({ ...options, text, file, allowEqualExperts })
      },
    }
  },
}

/** Runs `mergekit-moe`, which makes mixtures of experts. @returns the exit status */
export const mergekitMoe = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
