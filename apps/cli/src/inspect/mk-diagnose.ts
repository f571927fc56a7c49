import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { nameRecipe, readRecipe } from '../commands/read-recipe.ts'
import { groupedOption } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { type InspectionFlags, inspectionOptions } from './inspection-options.ts'

interface DiagnoseFlags extends InspectionFlags {
  readonly full?: boolean
}

const definition: CommandDefinition<DiagnoseFlags> = {
  name: 'mk-diagnose',
  summary:
    'Look at the models of a recipe before they are merged: near-duplicates, outliers, norms, conflicts, and weights by norm as a suggestion.',
  operands: [{ name: 'recipe', summary: 'a YAML file as of mergekit-yaml, or - for stdin', isNeeded: () => true }],
  declareOptions(command) {
    for (const option of [
      groupedOption(
        'recipe',
        '--method-module <file>',
        'load merge methods from a JavaScript module (may be repeated)',
      ).argParser((file: string, files: string[] = []) => [...files, file]),
      groupedOption(
        'recipe',
        '--full',
        'read all of the models: exact figures, and all that is infinite or NaN; without it, tensors of more than two million elements are read in part, and figures are estimates',
      ),
      ...inspectionOptions('print what was found, or an error, as JSON'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-diagnose recipe.yml', 'what of the models would surprise'],
    ['mk-diagnose recipe.yml --full', 'exactly, with every NaN, for as long as reading the models takes'],
    ['mk-diagnose recipe.yml --json', 'all numbers, for each tensor too'],
  ],
  async act({ flags, operands: [file] }) {
    const text = await readRecipe(file!)
    const recipe = { text, file: nameRecipe(file!), out: undefined }
    const { runInspection } = await import('./inspection.ts')
    return runInspection(
      flags,
      async ({ signal, open, during }) => {
        const { diagnosePlan } = await import('./inspecting.ts')
        const { prepared, plan, threads } = await open(recipe)
        const found = await during('reading', (onProgress) =>
          diagnosePlan(plan, prepared, { ...threads, signal, onProgress, ...(flags.full && { sample: false }) }),
        )
        if (flags.json) process.stdout.write(`${JSON.stringify({ version: 1, ...found })}\n`)
        else {
          const { formatDiagnosis } = await import('./format-diagnosis.ts')
          const screen = describeScreen(process.stdout)
          process.stdout.write(formatDiagnosis(found, { screen, full: flags.verbose > 0 }))
        }
        return exitStatus.success
      },
      recipe,
    )
  },
}

/** Runs `mk-diagnose`, which looks at a recipe's models. @returns the exit status */
export const mkDiagnose = (args: readonly string[]): Promise<number> => runCommand(definition, args)
