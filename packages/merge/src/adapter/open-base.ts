import type { CheckpointLayout } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'

/** The model that an adapter is for. */
export interface OpenBase {
  readonly label: string
  readonly checkpoint: Checkpoint
  readonly layout: CheckpointLayout
  /** As the adapter names it. */
  readonly path: string
}

/** Finds the model that an adapter is for. @throws MergeError 'adapter-base' */
export function openBase({ baseModel }: MergeConfig, inputs: MergeInputs): OpenBase {
  if (baseModel === undefined) throw new MergeError({ code: 'adapter-base', problem: 'none' })
  const index = inputs.indexOf(baseModel)
  const checkpoint = inputs.checkpoints[index]!
  const label = inputs.labels[index]!
  const problem =
    inputs.stages?.[index] !== undefined
      ? 'merge'
      : checkpoint.reference.adapters.length > 0
        ? 'adapted'
        : checkpoint.config !== undefined
          ? undefined
          : checkpoint.gguf !== undefined
            ? 'gguf'
            : 'no-config'
  if (problem !== undefined) throw new MergeError({ code: 'adapter-base', problem, base: label })
  return {
    label,
    checkpoint,
    layout: inputs.layouts[index]!,
    path: checkpoint.hub?.id ?? checkpoint.reference.path,
  }
}
