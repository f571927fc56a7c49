import { Option } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { addPartOptions, type PartFlags } from '../parts/part-options.ts'
import { isPlanOnly } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import { nameRecipe, readRecipe } from './read-recipe.ts'
import { type MergeCommand, runMergeCommand } from './run-merge-command.ts'
import { groups } from './shared-options.ts'

interface YamlFlags extends PartFlags {
  readonly listMethods?: boolean | string
  readonly runtimes?: boolean
}

const isList = ({ listMethods, runtimes }: YamlFlags) => listMethods !== undefined || runtimes === true

/** Whether there is a recipe, and not only a plan that was made of one. */
const isByRecipe = (flags: YamlFlags) => !isList(flags) && flags.plan === undefined

const definition: MergeCommand<YamlFlags> = {
  name: 'mergekit-yaml',
  summary: 'Merge pre-trained language models by a YAML recipe.',
  operands: [
    { name: 'config', summary: 'the recipe, a YAML file; - is stdin', isNeeded: isByRecipe },
    {
      name: 'out',
      summary: 'the folder to write',
      isNeeded: (flags) => isByRecipe(flags) && !isPlanOnly(flags) && flags.planOut === undefined,
    },
  ],
  declareOptions: (command) =>
    addPartOptions(command)
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
    ['mergekit-yaml recipe.yml merged --plan-out plan.json', 'plan once, and then on several machines:'],
    ['mergekit-yaml --plan plan.json merged --part 3/16', 'the third of 16 parts; when all are done, --finish'],
    ['mergekit-yaml recipe.yml merged --json', 'for programs: the result, or the error, as JSON'],
  ],
  async act(call) {
    const {
      flags,
      operands: [config, out],
      ownCode,
    } = call
    if (flags.listMethods !== undefined) return printMethods(flags, ownCode)
    if (flags.runtimes) return printRuntimes(flags)
    if (flags.plan !== undefined) return (await import('../parts/run-planned.ts')).runPlanned(call)
    if (flags.part !== undefined || flags.finish === true) throw await planNeeded(flags)
    return { text: await readRecipe(config!), file: nameRecipe(config!), out }
  },
}

async function planNeeded({ part }: YamlFlags): Promise<Error> {
  const { CommandError } = await import('../errors/command-error.ts')
  return new CommandError({ code: 'plan-needed', option: part === undefined ? '--finish' : '--part' })
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
