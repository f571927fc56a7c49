import { isPlanOnly, type MergeCommand, type MergeFlags, nameRecipe, readRecipe, runMergeCommand } from '@mk/cli'
import { toRecipe } from './to-recipe.ts'

interface BakllamaFlags extends MergeFlags {
  readonly fp16?: boolean
  readonly printYaml?: boolean
}

const definition: MergeCommand<BakllamaFlags> = {
  name: 'bakllama',
  summary: 'Stack slices of layers of models by a file with layer_slices.',
  operands: [
    { name: 'config', summary: 'the file, in YAML; - is stdin', isNeeded: () => true },
    {
      name: 'out',
      summary: 'the folder to write; without it --print-yaml only prints',
      isNeeded: (flags) => !flags.printYaml && !isPlanOnly(flags),
    },
  ],
  declareOptions: (command) =>
    command
      .option('--fp16', 'write float16')
      .option('--no-fp16')
      .option('--print-yaml', 'print the configuration, as mergekit-yaml takes it')
      .option('--no-print-yaml'),
  examples: [
    ['bakllama slices.yml merged', 'stack the slices that slices.yml lists'],
    ['bakllama slices.yml --print-yaml', 'see the recipe that mergekit-yaml takes'],
  ],
  async act({ flags, operands: [config, out] }) {
    const [{ parseLayerSlices }, { bakllamaRecipe }] = await Promise.all([
      import('./layer-slices.ts'),
      import('./bakllama-recipe.ts'),
    ])
    const file = nameRecipe(config!)
    const slices = parseLayerSlices(await readRecipe(config!), { file, lenient: flags.lenient ?? false })
    const { warnings } = slices
    return toRecipe(bakllamaRecipe(slices, { fp16: flags.fp16 ?? false }), { origin: file, warnings, out, flags })
  },
}

/** Runs `bakllama`, which stacks slices of layers by a file with `layer_slices`. @returns the exit status */
export const bakllama = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
