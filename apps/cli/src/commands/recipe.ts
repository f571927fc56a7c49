import type { PreparedMerge, PrepareOptions } from '@mk/merge'

/** What to merge by, and where to. */
export interface Recipe {
  readonly text: string
  /** What errors name; models are also looked for beside it if it is a file. */
  readonly file: string
  /** Whether it was made of arguments that say the same, so that places in the text tell the user nothing. */
  readonly isGenerated?: boolean
  /** Modules of methods that the command line names, so that the text may name them too. */
  readonly modules?: readonly string[]
  /** Whether all merges of the text have names, so that none is the output and all are kept. */
  readonly allNamed?: boolean
  /** Options that have no effect with it, as notes. */
  readonly notes?: readonly string[]
  /** Absent: only a plan is asked for, or there is no output. */
  readonly out: string | undefined
  /** The name of the model, for people, where the output tells it; else that of the output. */
  readonly modelName?: string
  /** The file that the command makes of the folder: what results call the output, and all that a plan has. */
  readonly shownOut?: string
  /** Where the result goes instead of stdout. */
  readonly resultStream?: { write(text: string): unknown }
  /** Opens the models and plans what is to be written, where that is no merge by a recipe of mergekit-yaml. */
  readonly prepare?: (options: PrepareOptions) => Promise<PreparedMerge>
}
