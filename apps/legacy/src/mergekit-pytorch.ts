import { isPlanOnly, type MergeCommand, type MergeFlags, nameRecipe, readRecipe, runMergeCommand } from '@mk/cli'
import { Option } from 'commander'

interface PytorchFlags extends MergeFlags {
  readonly tensorIntersection?: boolean
  readonly tensorUnion?: boolean
}

const definition: MergeCommand<PytorchFlags> = {
  name: 'mergekit-pytorch',
  summary: 'Merge files of tensors by a YAML recipe, tensor by tensor of the same name.',
  operands: [
    {
      name: 'config',
      summary: 'the recipe, whose models are files (.safetensors, .bin, .pt, …); - is stdin',
      isNeeded: () => true,
    },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isPlanOnly(flags) },
  ],
  declareOptions: (command) =>
    command
      .addOption(
        new Option('-i, --tensor-intersection', 'leave out tensors that not all files have').conflicts('tensorUnion'),
      )
      .option('--no-tensor-intersection')
      .option('-u, --tensor-union', 'merge a tensor that not all files have from those that have it')
      .option('--no-tensor-union'),
  examples: [
    ['mergekit-pytorch recipe.yml merged', 'merge tensors by their names; all files have to have the same'],
    ['mergekit-pytorch recipe.yml merged --tensor-union', 'the same, of files with different tensors'],
  ],
  async act({ flags: { tensorIntersection, tensorUnion }, operands: [config, out] }) {
    const { rawRecipe } = await import('./raw-recipe.ts')
    const file = nameRecipe(config!)
    const missing = tensorIntersection ? 'skip' : tensorUnion ? 'others' : undefined
    return { text: rawRecipe(await readRecipe(config!), { file, missing }), file, out }
  },
}

/** Runs `mergekit-pytorch`, which merges files of tensors without a config.json. @returns the exit status */
export const mergekitPytorch = (args: readonly string[]): Promise<number> => runMergeCommand(definition, args)
