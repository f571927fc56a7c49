import { exitStatus } from '../errors/exit-status.ts'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import { readRecipe } from './read-recipe.ts'
import { type MergeCommand, runMergeCommand } from './run-merge-command.ts'

interface YamlFlags extends MergeFlags {
  readonly listMethods?: boolean
  readonly runtimes?: boolean
}

const isList = ({ listMethods, runtimes }: YamlFlags) => listMethods === true || runtimes === true

const definition: MergeCommand<YamlFlags> = {
  name: 'mergekit-yaml',
  summary: 'Merge pre-trained language models by a YAML recipe.',
  operands: [
    { name: 'config', summary: 'the recipe', isNeeded: (flags) => !isList(flags) },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isList(flags) && !isPlanOnly(flags) },
  ],
  declareOptions: (command) =>
    command
      .option('--list-methods', 'print the merge methods with their parameters')
      .option('--runtimes', 'print the devices, and why one is not available here'),
  async act({ flags, operands: [config, out], ownCode }) {
    if (flags.listMethods) return printMethods(flags, ownCode)
    if (flags.runtimes) return printRuntimes(flags)
    return { text: await readRecipe(config!), file: config!, out }
  },
}

/** Runs `mergekit-yaml`, which merges models by a YAML recipe. @returns the exit status */
export const mergekitYaml = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)

async function printMethods({ json, methodModule }: YamlFlags, ownCode: OwnCode): Promise<number> {
  const [{ describeMethods }, { loadMethods }, { formatMethods }] = await Promise.all([
    import('@mk/methods'),
    import('./load-methods.ts'),
    import('../print/format-methods.ts'),
  ])
  const methods = describeMethods((await loadMethods(methodModule, ownCode)).values())
  process.stdout.write(json ? formatJson(methods) : formatMethods(methods))
  return exitStatus.success
}

async function printRuntimes({ json }: YamlFlags): Promise<number> {
  const [{ listRuntimes }, { formatRuntimes }] = await Promise.all([
    import('../runtimes/find-runtime.ts'),
    import('../print/format-runtimes.ts'),
  ])
  const statuses = await listRuntimes()
  process.stdout.write(json ? formatJson(statuses) : formatRuntimes(statuses))
  return exitStatus.success
}

const formatJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
