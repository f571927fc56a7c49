import {
  isPlanOnly,
  loadMethods,
  type MergeCommand,
  type MergeFlags,
  readModelArgument,
  runMergeCommand,
} from '@mk/cli'
import { append, appendNumber } from './repeated-options.ts'
import { toRecipe } from './to-recipe.ts'

interface LegacyFlags extends MergeFlags {
  readonly method: string
  readonly merge?: readonly string[]
  readonly weight?: readonly number[]
  readonly density?: readonly number[]
  readonly baseModel?: string
  readonly normalize?: boolean
  readonly int8Mask?: boolean
  readonly bf16?: boolean
  readonly naiveCount?: boolean
  readonly printYaml?: boolean
}

const definition: MergeCommand<LegacyFlags> = {
  name: 'mergekit-legacy',
  summary: 'Merge whole models named in arguments, each with its weight and density in the order of the models.',
  operands: [
    {
      name: 'out',
      summary: 'the folder to write; without it --print-yaml only prints',
      isNeeded: (flags) => !flags.printYaml && !isPlanOnly(flags),
    },
  ],
  declareOptions: (command) =>
    command
      .option('--merge <model>', 'a model to merge (once for each)', append)
      .option('--weight <number>', 'its weight: once for each model, once for all, or 1', appendNumber)
      .option(
        '--density <number>',
        'how much of its difference from the base model to keep: once for each model, or once for all',
        appendNumber,
      )
      .option('--method <name>', 'the merge method', 'ties')
      .option('--base-model <model>', 'the model that the others were made from')
      .option('--normalize', 'divide by the sum of the weights (the default)')
      .option('--no-normalize', 'do not divide by the sum of the weights')
      .option('--int8-mask', 'accepted; has no effect')
      .option('--no-int8-mask')
      .option('--bf16', 'write bfloat16')
      .option('--no-bf16')
      .option('--naive-count', 'elect signs by their count instead of by weight')
      .option('--no-naive-count')
      .option('--print-yaml', 'print the configuration, as mergekit-yaml takes it')
      .option('--no-print-yaml'),
  examples: [
    ['mergekit-legacy merged --merge a --merge b --weight 0.6 --weight 0.4 --method linear', 'average two models'],
    ['mergekit-legacy --merge a --base-model base --print-yaml', 'see the recipe that mergekit-yaml takes'],
  ],
  async act({ flags, operands: [out], isGiven, ownCode }) {
    const [{ findMethod }, { legacyRecipe }] = await Promise.all([
      import('./find-method.ts'),
      import('./legacy-recipe.ts'),
    ])
    const { method, merge = [], weight = [], density = [], baseModel, normalize } = flags
    const { int8Mask = false, bf16 = false, naiveCount = false } = flags
    const configuration = legacyRecipe(
      {
        method,
        merge: await Promise.all(merge.map(readModelArgument)),
        weight,
        density,
        int8Mask,
        bf16,
        naiveCount,
        ...(baseModel !== undefined && { baseModel: await readModelArgument(baseModel) }),
        ...(isGiven('normalize') && { normalize: normalize! }),
      },
      await findMethod(method, await loadMethods(flags.methodModule, ownCode), ownCode),
    )
    return toRecipe(configuration, { origin: 'mergekit-legacy', modules: [method], out, flags })
  },
}

/** Runs `mergekit-legacy`, which merges models named in arguments. @returns the exit status */
export const mergekitLegacy = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
