import type { CheckpointLayout } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import type { ConfigPath, ModelReference } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import type { FileStore } from '@mk/source'

/** A merge that is an input of another one. */
export interface StageFacts {
  readonly name: string
  readonly methods: readonly MethodDefinition[]
  readonly inputs: MergeInputs
  /** About itself, not about those that it is made of. */
  readonly notes: readonly string[]
}

/** Files of tensors that parameters name, as `importance` does, each once. */
export interface ParameterFiles {
  /** As the recipe writes them. */
  readonly labels: readonly string[]
  /** The parameter of each; one file of several is that of the first. */
  readonly parameters: readonly string[]
  readonly checkpoints: readonly Checkpoint[]
}

/** The distinct models of a config, open, in the order of the YAML. */
export interface MergeInputs {
  /** Where their files are. */
  readonly store: FileStore
  readonly labels: readonly string[]
  readonly checkpoints: readonly Checkpoint[]
  readonly layouts: readonly CheckpointLayout[]
  /** The merges that inputs are, by their place among them; absent where all are models of their own. */
  readonly stages?: readonly (StageFacts | undefined)[]
  /** What parameters name; absent where none names anything. In plans they are inputs after all models. */
  readonly files?: ParameterFiles
  /** Donates config and tokenizer: the base model, else the first model. */
  readonly donor: number
  indexOf(reference: ModelReference): number
  /** Gives 'file:line:column' of a place in the config, as far as it is known. */
  readonly locate: (path: ConfigPath) => string
}

/** Lists the merges that inputs are made of, however deep, each once and after those that it is made of. */
export function listStagesOf({ stages = [] }: MergeInputs): readonly StageFacts[] {
  const found = new Map<string, StageFacts>()
  const visit = (stage: StageFacts | undefined): void => {
    if (stage === undefined || found.has(stage.name)) return
    for (const inner of stage.inputs.stages ?? []) visit(inner)
    found.set(stage.name, stage)
  }
  for (const stage of stages) visit(stage)
  return [...found.values()]
}

/** Tells whether the inputs are tensors and nothing else: then no loader is known that could need one. */
export function isRaw({ checkpoints, donor }: Pick<MergeInputs, 'checkpoints' | 'donor'>): boolean {
  const { config, gguf } = checkpoints[donor]!
  return config === undefined && gguf === undefined
}
