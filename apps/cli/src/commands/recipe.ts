/** What to merge by, and where to. */
export interface Recipe {
  readonly text: string
  /** What errors name; models are also looked for beside it if it is a file. */
  readonly file: string
  /** Of the model, where the output tells it; absent: that of the output folder. */
  readonly name?: string
  /** Modules of methods that the command line names, so that the text may name them too. */
  readonly modules?: readonly string[]
  /** Absent: only a plan is asked for. */
  readonly out: string | undefined
  /** Where the result goes instead of stdout. */
  readonly resultStream?: { write(text: string): unknown }
}
