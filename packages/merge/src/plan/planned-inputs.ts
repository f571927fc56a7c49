import type { Checkpoint } from '@mk/checkpoint'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { PlannedInput } from './merge-plan.ts'

/** Tells what a plan says of the models that it reads, and after them of the files that parameters name. */
export const plannedInputs = ({ checkpoints, labels, stages, files }: MergeInputs): readonly PlannedInput[] => [
  ...checkpoints.map((checkpoint, index) => {
    const stage = stages?.[index]
    return {
      ...plannedInput(labels[index]!, checkpoint),
      ...(stage && { folder: undefined, stage: stage.name }),
    }
  }),
  ...(files?.checkpoints ?? []).map((checkpoint, index) => ({
    ...plannedInput(files!.labels[index]!, checkpoint),
    parameter: files!.parameters[index]!,
  })),
]

const plannedInput = (label: string, { folder, hub, states }: Checkpoint): PlannedInput => ({
  label,
  folder,
  ...(hub !== undefined && { hub }),
  states: Object.fromEntries(states),
})
