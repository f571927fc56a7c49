import type { ConfigPath, MergeConfig } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { OutputVocabulary } from '../open/output-vocabulary.ts'
import type { ComputeProgress } from '../prepare/awaited.ts'
import type { RuntimeSpecifier } from '../run/task.ts'
import type { UnplacedTensor } from '../plan/plan-files.ts'

/** A model put together from tensors of others, one by one, where no merge of whole models says how. */
export interface Assembly {
  /** In the order of the output. Their operations name inputs by position; 'merge' is the request's method. */
  readonly tensors: readonly UnplacedTensor[]
  /** config.json of the output; absent: it has none. */
  readonly config: Readonly<Record<string, unknown>> | undefined
  /** Keys of it that are floats to Python, also where their values are whole and the donor's config.json has them not. */
  readonly floats?: readonly string[]
  /** Whose tokens the output has, where they are not the donor's: files of the tokenizer, and ids that config.json and generation_config.json name. */
  readonly vocabulary?: AssemblyVocabulary
  /** What a person should know though the output is right. */
  readonly notes: readonly string[]
  /** What may not be meant. */
  readonly warnings: readonly string[]
}

/** The vocabulary of an assembly, as far as its small files are concerned. */
export type AssemblyVocabulary = Pick<OutputVocabulary, 'documents' | 'copies' | 'omitted' | 'tokenIds' | 'decisions'>

/** What a command puts together, beside what the command line says of every output. */
export interface AssemblyRequest {
  /** Names the models to open, in order, the base first where there is one, and what is to be written as what. */
  readonly config: MergeConfig
  /** Gives 'file:line:column' of a place in the config, as far as it is known. */
  readonly locate: (path: ConfigPath) => string
  /** Names the work in plan and card. */
  readonly method: MethodDefinition
  /** The text that says it all, for the card, and its file in the output where it gets one. */
  readonly recipe: { readonly text: string; readonly name?: string }
  /** Decides what the output is made of, from the headers of the inputs. @throws whatever does not fit */
  assemble(inputs: MergeInputs, config: MergeConfig): Assembly | Promise<Assembly>
  /**
   * Computes what has to be known before tensors are read, once the weights are here. Absent: nothing.
   * @returns the same tensors, with that in them
   */
  complete?(assembly: Assembly, inputs: MergeInputs, options: CompletionOptions): Promise<CompletedAssembly>
  /** Deletes what `complete` has left on disks for the tensors to be read from: called when they have been, or never will be. */
  release?(): Promise<void>
}

/** An assembly of which all is known, and what a person should know besides of what came out. */
export interface CompletedAssembly {
  readonly tensors: readonly UnplacedTensor[]
  readonly notes?: readonly string[]
  readonly warnings?: readonly string[]
}

/** By what the tensors of an assembly that have to be computed beforehand are, and who is told of it. */
export interface CompletionOptions {
  /** What computes; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier
  /** Worker threads, by default as many as there are cores; 0 computes in the calling thread. */
  readonly threads?: number
  /** Where the output is to be; what is computed may lie beside it until it is written. */
  readonly out?: string
  readonly signal?: AbortSignal
  /** Told what is done of what there is to compute. */
  readonly onProgress?: (progress: ComputeProgress) => void
}
