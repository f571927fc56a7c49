import { writeFile } from 'node:fs/promises'
import { exitStatus, isPlanOnly, type MergeFlags, type Recipe } from '@mk/cli'

interface RecipeOrigin {
  /** What the recipe is made from; errors about the recipe name it, and models are also looked for beside it if it is a file. */
  readonly origin: string
  /** Modules of methods that the arguments name. */
  readonly modules?: readonly string[]
  /** What reading it had to say. */
  readonly warnings?: readonly string[]
  /** Absent: nothing is to be written. */
  readonly out: string | undefined
  readonly flags: MergeFlags & { readonly printYaml?: boolean; readonly writeYaml?: string }
}

/**
 * Makes of a merge configuration as plain data what to merge by; prints it, or writes it to a file, if asked to.
 * @returns an exit status if that was all
 * @throws LegacyError 'yaml-unwritable'
 */
export async function toRecipe(
  configuration: Readonly<Record<string, unknown>>,
  { origin, modules = [], warnings = [], out, flags }: RecipeOrigin,
): Promise<Recipe | number> {
  const { stringifyYaml } = await import('@mk/config')
  if (warnings.length > 0 && !flags.quiet) {
    const { shortened } = await import('@mk/errors')
    for (const text of warnings) process.stderr.write(`warning: ${shortened(text, 4000)}\n`)
  }
  const text = stringifyYaml(configuration)
  const recipe = { text, file: `${origin} (--print-yaml)`, modules, out }
  if (flags.writeYaml !== undefined) await writeText(flags.writeYaml, text)
  if (!flags.printYaml)
    return out === undefined && flags.writeYaml !== undefined && !isPlanOnly(flags) ? exitStatus.success : recipe
  process.stdout.write(text)
  if (out === undefined && !isPlanOnly(flags)) return exitStatus.success
  // What --print-yaml prints is to be piped into a file.
  return { ...recipe, resultStream: process.stderr }
}

async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    const [{ systemReason }, { LegacyError }] = await Promise.all([import('@mk/errors'), import('./errors.ts')])
    throw new LegacyError({ code: 'yaml-unwritable', file, reason: systemReason(cause) }, { cause })
  }
}
