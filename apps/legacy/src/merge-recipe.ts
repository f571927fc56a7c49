import { executeMerge, exitStatus, type MergeFlags } from '@mk/cli'

export interface RecipeRequest {
  /** What the recipe is made from; errors about the recipe name it, and models are also looked for beside it if it is a file. */
  readonly origin: string
  /** Absent: nothing is to be written. */
  readonly out: string | undefined
  readonly flags: MergeFlags & { readonly printYaml?: boolean }
  readonly notes: readonly string[]
  /** The merge configuration as plain data. */
  recipe(): Promise<Record<string, unknown>>
}

/** Prints the recipe if asked to, then merges by it as `mergekit-yaml` would. @returns the exit status */
export async function mergeRecipe({ origin, out, flags, notes, recipe }: RecipeRequest): Promise<number> {
  const { stringifyYaml } = await import('@mk/config')
  const text = stringifyYaml(await recipe())
  const planOnly = flags.dryRun || flags.explainTokens
  if (flags.printYaml) {
    process.stdout.write(text)
    if (out === undefined && !planOnly) return exitStatus.success
  }
  return executeMerge({
    text,
    file: `${origin} (--print-yaml)`,
    out: out ?? '',
    flags,
    notes,
    // What --print-yaml prints is to be piped into a file.
    ...(flags.printYaml && { resultStream: process.stderr }),
  })
}
