import { isPlanOnly, type MergeCommand, type MergeFlags, readModelArgument, runMergeCommand } from '@mk/cli'
import { append, appendNumber } from './repeated-options.ts'
import { toRecipe } from './to-recipe.ts'

interface ShuffleFlags extends MergeFlags {
  readonly model?: readonly string[]
  readonly weight?: readonly number[]
  readonly fullRandom?: boolean
  readonly fp16?: boolean
  readonly printYaml?: boolean
  readonly writeYaml?: string
}

const definition: MergeCommand<ShuffleFlags> = {
  name: 'mergekit-layershuffle',
  summary: 'Stack layers of models drawn at random, the same for the same --random-seed.',
  operands: [
    {
      name: 'out',
      summary: 'the folder to write; without it --print-yaml and --write-yaml only give the recipe',
      isNeeded: (flags) => !flags.printYaml && flags.writeYaml === undefined && !isPlanOnly(flags),
    },
  ],
  declareOptions: (command) =>
    command
      .option('-m, --model <model>', 'a model to take layers of (once for each)', append)
      .option(
        '-w, --weight <number>',
        'how often its layers are drawn, in relation to the others; with --full-random how many, in parts of its own: once for each model, or equal ones',
        appendNumber,
      )
      .option('--full-random', 'take any layers in any order, instead of one of the layers of each number')
      .option('--no-full-random')
      .option('--fp16', 'write float16')
      .option('--no-fp16')
      .option('--print-yaml', 'print the recipe, as mergekit-yaml takes it')
      .option('--no-print-yaml')
      .option('--write-yaml <file>', 'write the recipe to a file'),
  examples: [
    ['mergekit-layershuffle merged -m a -m b -w 0.7 -w 0.3', 'each layer is that of a (70 %) or b (30 %)'],
    [
      'mergekit-layershuffle merged -m a -m b --full-random --random-seed 7',
      'half of the layers of each, in any order',
    ],
    ['mergekit-layershuffle -m a -m b --print-yaml', 'see the recipe that mergekit-yaml takes'],
  ],
  async act({ flags, operands: [out] }) {
    const [{ countLayers }, { shuffleLayers }] = await Promise.all([
      import('./count-layers.ts'),
      import('./shuffle-layers.ts'),
    ])
    const { model: models = [], weight: weights = [], fullRandom = false, fp16 = false, randomSeed: seed } = flags
    const counted = await countLayers(await Promise.all(models.map(readModelArgument)), flags)
    const configuration = shuffleLayers(counted, { weights, seed, fullRandom, fp16 })
    return toRecipe(configuration, { origin: 'mergekit-layershuffle', out, flags })
  },
}

/** Runs `mergekit-layershuffle`, which stacks layers drawn at random. @returns the exit status */
export const mergekitLayershuffle = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
