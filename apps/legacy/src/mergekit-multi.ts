import { isPlanOnly, type MergeCommand, type MergeFlags, nameRecipe, readRecipe, runMergeCommand } from '@mk/cli'
import { Option } from 'commander'
import { LegacyError } from './errors.ts'

interface MultiFlags extends MergeFlags {
  readonly outPath?: string
}

const definition: MergeCommand<MultiFlags> = {
  name: 'mergekit-multi',
  summary: 'Merge by a YAML file of several recipes that name one another.',
  operands: [
    { name: 'config', summary: 'the recipes, separated by ---, in one YAML file; - is stdin', isNeeded: () => true },
  ],
  declareOptions: (command) =>
    command
      .addOption(new Option('-o, --out-path <folder>', 'the folder to write: what the recipe without a name gives'))
      .addOption(new Option('-I, --intermediate-dir <folder>', 'write the named merges, too, as folders in this one'))
      .option('--lazy', 'keep those that are there, of the same recipe and inputs (the default)')
      .option('--no-lazy', 'write them anew')
      .on('option:intermediate-dir', (folder: string) =>
        command.setOptionValueWithSource('keepIntermediates', folder, 'cli'),
      ),
  examples: [
    ['mergekit-multi recipes.yml --out-path merged', 'merge all in one pass; nothing in between is written'],
    ['mergekit-multi recipes.yml --out-path merged -I steps', 'write the named merges, too, into steps'],
    ['mergekit-multi recipes.yml --dry-run', 'see first what would come out'],
  ],
  async act({ flags, operands: [config] }) {
    if (flags.outPath === undefined && !isPlanOnly(flags)) throw new LegacyError({ code: 'no-out-path' })
    return { text: await readRecipe(config!), file: nameRecipe(config!), out: flags.outPath }
  },
}

/** Runs `mergekit-multi`, which merges by several recipes in one file. @returns the exit status */
export const mergekitMulti = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
