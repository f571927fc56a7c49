import { InvalidArgumentError } from 'commander'
import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { groupedOption, groups, sharedOptions } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { mapPathOption } from '../parts/part-options.ts'
import type { InspectionFlags } from './inspection-options.ts'
import type { PlanFlags } from './read-plan.ts'

interface VerifyFlags extends InspectionFlags, PlanFlags {
  readonly against?: string
  readonly sample: number
  readonly randomSeed: number
  readonly strict?: boolean
}

const definition: CommandDefinition<VerifyFlags> = {
  name: 'mk-verify',
  summary:
    'Read an output again: headers, index, sizes, shapes, checksums, NaN and constant tensors; with a plan, compute tensors anew.',
  operands: [
    {
      name: 'out',
      summary: 'the folder of a model, of mk or any other program, or a file of weights',
      isNeeded: () => true,
    },
  ],
  declareOptions(command) {
    for (const option of [
      groupedOption(
        'recipe',
        '--against <plan>',
        'compute tensors anew by this plan (--plan-out writes it), and compare',
      ),
      groupedOption('recipe', '--sample <count>', 'how many of them, or all').argParser(count).default(20),
      groupedOption('recipe', '--random-seed <number>', 'which ones').argParser(seed).default(0),
      mapPathOption().helpGroup(groups.recipe),
      groupedOption(
        'recipe',
        '--method-module <file>',
        'load merge methods from a JavaScript module (may be repeated)',
      ).argParser((file: string, files: string[] = []) => [...files, file]),
      groupedOption('recipe', '--allow-code', 'run the JavaScript module that the plan names as its method'),
      sharedOptions.strict('count what may be meant as wrong, too, such as a tensor of zeros'),
      sharedOptions.threads(),
      sharedOptions.json('print what was found, or an error, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('say more'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-verify ./merged', 'whether all of it is there, and as it was written'],
    ['mk-verify ./merged --against plan.json --sample 50', 'compute 50 of its tensors anew, too'],
    ['mk-verify ./of-another-program --strict', 'as far as it can be verified without checksums'],
  ],
  statuses: [
    ['0', 'nothing is wrong'],
    ['1', 'it could not be looked at, and trying again may help'],
    ['2', 'command line, plan or its inputs have to be mended first'],
    ['3', 'something is wrong with the output: stdout says what'],
    ['130, 143', 'ended by Ctrl-C or SIGTERM'],
  ],
  async act({ flags, operands: [out] }) {
    const { runInspection } = await import('./inspection.ts')
    return runInspection(flags, async ({ print, signal, during }) => {
      const { verifyOutput } = await import('./inspecting.ts')
      const plan =
        flags.against === undefined ? undefined : await (await import('./read-plan.ts')).readPlan(flags.against, flags)
      const found = await during('verifying', (onProgress) =>
        verifyOutput(out!, {
          threads: flags.threads,
          ...(plan && { against: { ...plan, sample: flags.sample, seed: flags.randomSeed } }),
          signal,
          onProgress,
          onWarning: (message) => print.warning(message),
        }),
      )
      const isSound = flags.strict ? found.faults.length === 0 : found.isSound
      if (flags.json) process.stdout.write(`${JSON.stringify({ version: 1, ...found, isSound })}\n`)
      else {
        const { formatVerification } = await import('./format-verification.ts')
        process.stdout.write(formatVerification({ ...found, isSound }, describeScreen(process.stdout)))
      }
      return isSound ? exitStatus.success : exitStatus.unsound
    })
  },
}

function count(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Expected a whole number from 1, or 'all'.")
  return value
}

function seed(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Expected a whole number, 0 or more.')
  return value
}

/** Runs `mk-verify`, which reads an output again. @returns the exit status: 3 where something is wrong with it */
export const mkVerify = (args: readonly string[]): Promise<number> => runCommand(definition, args)
