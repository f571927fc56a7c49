import type { MergeInputs } from '../open/merge-inputs.ts'
import type { PlannedInput } from './merge-plan.ts'

/** Tells what a plan says of the models that it reads. */
export const plannedInputs = ({ checkpoints, labels, stages }: MergeInputs): readonly PlannedInput[] =>
  checkpoints.map(({ folder, hub, states }, index) => {
    const stage = stages?.[index]
    return {
      label: labels[index]!,
      folder: stage === undefined ? folder : undefined,
      ...(stage && { stage: stage.name }),
      ...(hub !== undefined && { hub }),
      states: Object.fromEntries(states),
    }
  })
