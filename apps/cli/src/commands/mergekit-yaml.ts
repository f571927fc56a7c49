import { Option } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import { nameRecipe, readRecipe } from './read-recipe.ts'
import { type MergeCommand, runMergeCommand } from './run-merge-command.ts'
import { groups } from './shared-options.ts'

interface YamlFlags extends MergeFlags {
  readonly listMethods?: boolean | string
  readonly runtimes?: boolean
}

const isList = ({ listMethods, runtimes }: YamlFlags) => listMethods !== undefined || runtimes === true

const definition: MergeCommand<YamlFlags> = {
  name: 'mergekit-yaml',
  summary: 'Merge pre-trained language models by a YAML recipe.',
  operands: [
    { name: 'config', summary: 'the recipe, a YAML file; - is stdin', isNeeded: (flags) => !isList(flags) },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isList(flags) && !isPlanOnly(flags) },
  ],
  declareOptions: (command) =>
    command
      .addOption(
        new Option('--list-methods [name]', 'print the merge methods with their parameters, or one of them').helpGroup(
          groups.ask,
        ),
      )
      .addOption(
        new Option('--runtimes', 'print the devices, and how to get those that are not here').helpGroup(groups.ask),
      ),
  examples: [
    ['mergekit-yaml recipe.yml merged', 'merge by recipe.yml into the folder merged'],
    ['mergekit-yaml recipe.yml --dry-run', 'see first what would come out'],
    ['mergekit-yaml - merged < recipe.yml', 'the same with the recipe from stdin'],
    ['mergekit-yaml --list-methods ties', 'what a method is, and its parameters'],
    ['mergekit-yaml recipe.yml merged --json', 'for programs: the result, or the error, as JSON'],
  ],
  async act({ flags, operands: [config, out], ownCode }) {
    if (flags.listMethods !== undefined) return printMethods(flags, ownCode)
    if (flags.runtimes) return printRuntimes(flags)
    return { text: await readRecipe(config!), file: nameRecipe(config!), out }
  },
}

/** Runs `mergekit-yaml`, which merges models by a YAML recipe. @returns the exit status */
export const mergekitYaml = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)

async function printMethods({ json, methodModule, listMethods }: YamlFlags, ownCode: OwnCode): Promise<number> {
  const [{ describeMethods, findMethod, loadMethods }, { formatMethods }] = await Promise.all([
    import('./list-methods.ts'),
    import('../print/format-methods.ts'),
  ])
  const known = await loadMethods(methodModule, ownCode)
  const chosen = typeof listMethods === 'string' ? [findMethod(listMethods, known, '--list-methods')] : known.values()
  const methods = describeMethods(chosen)
  process.stdout.write(
    json ? formatJson({ version: 1, methods }) : formatMethods(methods, describeScreen(process.stdout)),
  )
  return exitStatus.success
}

async function printRuntimes({ json }: YamlFlags): Promise<number> {
  const [{ listRuntimes }, { formatRuntimes }] = await Promise.all([
    import('../runtimes/find-runtime.ts'),
    import('../print/format-runtimes.ts'),
  ])
  const statuses = await listRuntimes()
  process.stdout.write(
    json ? formatJson({ version: 1, runtimes: statuses }) : formatRuntimes(statuses, describeScreen(process.stdout)),
  )
  return exitStatus.success
}

const formatJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
