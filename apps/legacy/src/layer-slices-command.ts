import { readFileSync } from 'node:fs'
import {
  addMergeFlags,
  createCommand,
  type MergeFlags,
  needlessFlagNotes,
  runCommand,
  usage,
  UsageError,
} from '@mk/cli'
import { mergeRecipe } from './merge-recipe.ts'

interface BakllamaFlags extends MergeFlags {
  readonly fp16?: boolean
  readonly printYaml?: boolean
}

/** `bakllama`: stacks slices of layers by a file with `layer_slices`. @returns the exit status. */
export async function bakllama(args: readonly string[]): Promise<number> {
  const command = createCommand('bakllama')
    .description('Stack slices of layers of models by a file with layer_slices.')
    .argument('[config]', 'the file')
    .argument('[out]', 'the folder to write; without it --print-yaml only prints')
    .option('--fp16', 'write float16')
    .option('--no-fp16')
    .option('--print-yaml', 'print the configuration, as mergekit-yaml takes it')
    .option('--no-print-yaml')
  addMergeFlags(command)
  return runCommand(command, args, async (flags: BakllamaFlags, [config, out]) => {
    const writesNothing = flags.printYaml || flags.dryRun || flags.explainTokens
    if (config === undefined || (out === undefined && !writesNothing))
      return usage(command, `missing argument '${config === undefined ? 'config' : 'out'}'`)
    return mergeRecipe({
      origin: config,
      out,
      flags,
      notes: needlessFlagNotes(command),
      async recipe() {
        const [{ parseLayerSlices }, { bakllamaRecipe }] = await Promise.all([
          import('./layer-slices.ts'),
          import('./bakllama-recipe.ts'),
        ])
        return bakllamaRecipe(parseLayerSlices(readConfig(config), config), { fp16: flags.fp16 ?? false })
      },
    })
  })
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UsageError(
      `can't read ${file}: ${missing ? 'there is no such file' : (error as Error).message}`,
      'config-not-found',
    )
  }
}
