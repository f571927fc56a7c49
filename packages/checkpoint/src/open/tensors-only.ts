import type { ModelReference } from '@mk/config'
import type { Checkpoint } from '../checkpoint.ts'

/** Describes files of tensors that have no folder of a model around them. */
export const tensorsOnly = (
  reference: ModelReference,
  tensors: Checkpoint['tensors'],
  notes: readonly string[],
): Omit<Checkpoint, 'states'> => ({
  reference,
  folder: undefined,
  hub: undefined,
  config: undefined,
  documents: new Map(),
  files: [],
  tensors,
  notes,
})
