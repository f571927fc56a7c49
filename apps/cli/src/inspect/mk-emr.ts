import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { TaskMask, TaskMaskPlan } from '@mk/inspect'
import { readModelArgument } from '../commands/model-argument.ts'
import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { groupedOption, sharedOptions } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { formatBytes } from '../print/sizes.ts'
import { share } from './format-numbers.ts'
import { type InspectionFlags, inspectionOptions } from './inspection-options.ts'

interface EmrFlags extends InspectionFlags {
  readonly base: string
  readonly dryRun?: boolean
  readonly overwrite?: boolean
}

const definition: CommandDefinition<EmrFlags> = {
  name: 'mk-emr',
  summary:
    "Write the mask of a task beside a model that method emr has merged: what gives the task's model back, in a bit for each element and one number.",
  operands: [
    { name: 'merged', summary: 'the merged model: a folder, a file, or org/name at the hub', isNeeded: () => true },
    { name: 'model', summary: 'one of the models that it was merged of; model+adapter', isNeeded: () => true },
    { name: 'out', summary: 'the file to write, such as masks/math.safetensors', isNeeded: () => true },
  ],
  declareOptions(command) {
    for (const option of [
      sharedOptions.dryRun('print how large the mask would be and write nothing'),
      sharedOptions.overwrite('write over a file that is there'),
      groupedOption('recipe', '--base <model>', 'the base of the merge').makeOptionMandatory(),
      ...inspectionOptions('print what was written, or an error, as JSON', { threads: false }),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-emr merged org/math masks/math.safetensors --base org/base', 'the mask of one of the models'],
    ['mk-emr merged org/math m.safetensors --base org/base --dry-run', 'see first whether there can be one'],
  ],
  async act({ flags, operands: [merged, model, out] }) {
    const { planTaskMask, prepareDiff, writeTaskMask } = await import('./inspecting.ts')
    const { runInspection } = await import('./inspection.ts')
    return runInspection({ ...flags, threads: 0 }, async ({ print, signal, open, during }) => {
      const [a, b, base] = await Promise.all([merged!, model!, flags.base].map(readModelArgument))
      const request = { a: a!, b: b!, base: base! }
      const { prepared } = await open({ text: '', file: 'mk-emr', isGenerated: true }, (options) =>
        prepareDiff(request, options),
      )
      const plan = planTaskMask(prepared)
      if (plan.leftOut.length > 0)
        print.note(`${plan.models.merged} lacks ${plan.leftOut.join(', ')} of ${plan.models.model}: no mask is for it`)
      if (flags.dryRun) {
        tell(
          flags,
          { ...describe(plan), out: out! },
          `a mask of ${plan.models.model} would take ${formatBytes(plan.byteCount)}`,
        )
        return exitStatus.success
      }
      await mkdir(dirname(out!), { recursive: true })
      const { overwrite = false } = flags
      const found = await during('comparing', (onProgress) =>
        writeTaskMask(plan, out!, { overwrite, signal, onProgress }),
      )
      if (found.agreeing === 0)
        print.warning(
          `no change of ${plan.models.model} has the direction of the merged model's: the mask gives the base`,
        )
      tell(flags, { ...describe(plan), ...found }, describeMask(plan, found))
      return exitStatus.success
    })
  },
}

const describe = ({ models, byteCount }: TaskMaskPlan) => ({ version: 1, models, byteCount })

const tell = ({ json = false }: EmrFlags, data: object, text: string): void =>
  void process.stdout.write(`${json ? JSON.stringify(data) : text}\n`)

const describeMask = ({ models }: TaskMaskPlan, { out, rescaler, agreeing, changed, writtenBytes }: TaskMask): string =>
  `wrote ${out}, ${formatBytes(writtenBytes)}: ${share(changed === 0 ? 0 : agreeing / changed)} of what ${models.model} changes has the direction of the merged model, which is rescaled by ${rescaler.toPrecision(4)}`

/** Runs `mk-emr`, which writes the mask of a task. @returns the exit status */
export const mkEmr = (args: readonly string[]): Promise<number> => runCommand(definition, args)
