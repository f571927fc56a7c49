import type { CheckpointLayout } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import type { ConfigPath, ModelReference } from '@mk/config'
import type { FileStore } from '@mk/source'

/** The distinct models of a config, open, in the order of the YAML. */
export interface MergeInputs {
  /** Where their files are. */
  readonly store: FileStore
  readonly labels: readonly string[]
  readonly checkpoints: readonly Checkpoint[]
  readonly layouts: readonly CheckpointLayout[]
  /** Donates config and tokenizer: the base model, else the first model. */
  readonly donor: number
  indexOf(reference: ModelReference): number
  /** Gives 'file:line:column' of a place in the config, as far as it is known. */
  readonly locate: (path: ConfigPath) => string
}

/** Tells whether the inputs are tensors and nothing else: then no loader is known that could need one. */
export function isRaw({ checkpoints, donor }: Pick<MergeInputs, 'checkpoints' | 'donor'>): boolean {
  const { config, gguf } = checkpoints[donor]!
  return config === undefined && gguf === undefined
}
