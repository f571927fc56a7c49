import { addMergeFlags, createCommand, type MergeFlags, needlessFlagNotes, runCommand, usage } from '@mk/cli'
import { InvalidArgumentError } from 'commander'
import { mergeRecipe } from './merge-recipe.ts'

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

/** `mergekit-legacy`: merges models named in arguments. @returns the exit status. */
export async function mergekitLegacy(args: readonly string[]): Promise<number> {
  const command = createCommand('mergekit-legacy')
    .description('Merge whole models named in arguments, each with its weight and density in the order of the models.')
    .argument('[out]', 'the folder to write; without it --print-yaml only prints')
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
    .option('--no-print-yaml')
  addMergeFlags(command)
  return runCommand(command, args, async (flags: LegacyFlags, [out]) => {
    const isGiven = (name: keyof LegacyFlags) => command.getOptionValueSource(name) === 'cli'
    if (out === undefined && !flags.printYaml && !flags.dryRun && !flags.explainTokens)
      return usage(command, `missing argument 'out'`)
    return mergeRecipe({
      origin: 'mergekit-legacy',
      out,
      flags,
      notes: needlessFlagNotes(command),
      async recipe() {
        const [{ findMethod }, { legacyRecipe }] = await Promise.all([
          import('./find-method.ts'),
          import('./legacy-recipe.ts'),
        ])
        const {
          method,
          merge = [],
          weight = [],
          density = [],
          baseModel,
          normalize,
          int8Mask,
          bf16,
          naiveCount,
        } = flags
        const given = {
          method,
          merge,
          weight,
          density,
          int8Mask: int8Mask ?? false,
          bf16: bf16 ?? false,
          naiveCount: naiveCount ?? false,
        }
        return legacyRecipe(
          {
            ...given,
            ...(baseModel !== undefined && { baseModel }),
            ...(isGiven('normalize') && { normalize: normalize! }),
          },
          await findMethod(method, flags.methodModule ?? []),
        )
      },
    })
  })
}

const append = (value: string, before: readonly string[] = []): string[] => [...before, value]

function appendNumber(text: string, before: readonly number[] = []): number[] {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return [...before, value]
}
