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
    ['mergekit-multi recipes.yml -I steps', 'where all merges have names: write all of them'],
    ['mergekit-multi recipes.yml --dry-run', 'see first what would come out'],
  ],
  async act({ flags, operands: [config], isGiven }) {
    const [text, file] = [await readRecipe(config!), nameRecipe(config!)]
    if (!(await haveAllNames(text))) {
      if (flags.outPath === undefined && !isPlanOnly(flags)) throw new LegacyError({ code: 'no-out-path' })
      return { text, file, out: flags.outPath }
    }
    if (flags.push !== undefined) throw new LegacyError({ code: 'nothing-to-push', file })
    if (flags.keepIntermediates === undefined && !isPlanOnly(flags))
      throw new LegacyError({ code: 'no-intermediate-dir', file })
    const idle = (['outPath', 'outFormat', 'outDtype', 'rank'] as const).filter((name) => isGiven(name))
    const notes = idle.map(
      (name) => `${flagOf(name)} has no effect: all merges of ${file} have names, and none is the output`,
    )
    return { text, file, out: undefined, allNamed: true, notes }
  },
}

const flagOf = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Tells whether none of the recipes is the output; not of a text that is no recipe, which the merge refuses. */
async function haveAllNames(text: string): Promise<boolean> {
  const { readRecipes } = await import('@mk/config')
  try {
    return readRecipes(text, { allNamed: true, lenient: true }).recipes.every(
      ({ config }) => config?.name !== undefined,
    )
  } catch {
    return false
  }
}

/** Runs `mergekit-multi`, which merges by several recipes in one file. @returns the exit status */
export const mergekitMulti = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
