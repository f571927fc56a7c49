import type { MergeConfig } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import type { StoredHeads } from '../open/compare-stored-heads.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { OutputVocabulary } from '../open/output-vocabulary.ts'
import type { Program } from '../program.ts'
import type { NoteList } from './notes.ts'

/** Choices of the caller, beside what the recipe says. */
export interface PlanSettings {
  /** Keys the random masks. */
  readonly seed: number
  /** Largest size of an output file in bytes; undefined: a model that is taken as it is keeps its files, others have the usual size. */
  readonly shardBytes: number | undefined
  /** Copy or build the tokenizer's files. */
  readonly copyTokenizer: boolean
  readonly writeModelCard: boolean
  /** What the output is called in its card. */
  readonly name: string | undefined
  /** Merge models of different architectures as far as their tensors fit: leave out what the donor lacks, instead of refusing it; cut rows that a chat template needs; and write stacks that no loader could read. */
  readonly allowMixedArchitectures: boolean
  /** Ignore keys and parameters that nothing knows, as mergekit does, instead of refusing them. */
  readonly lenient: boolean
}

export interface PlanOptions extends PlanSettings {
  /** The YAML as the user wrote it. */
  readonly text: string
  readonly program: Program
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly vocabulary: OutputVocabulary
  readonly heads: StoredHeads
}

/** The facts that every step of planning one merge goes by. */
export interface PlanContext {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** The methods that the recipe names, each once. */
  readonly methods: readonly MethodDefinition[]
  /** Gives a method by what the recipe calls it. */
  readonly methodCalled: (name: string) => MethodDefinition
  readonly options: PlanOptions
  readonly notes: NoteList
  /** Inputs that are the text model of the donor's language part, or the other way round. */
  readonly textParts: ReadonlySet<number>
}
