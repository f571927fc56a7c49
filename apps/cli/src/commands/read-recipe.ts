import { readFileSync } from 'node:fs'

/** Reads the file that a command is to merge by. @throws CommandError 'recipe-unreadable' */
export async function readRecipe(file: string): Promise<string> {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const [{ systemReason }, { CommandError }] = await Promise.all([
      import('@mk/errors'),
      import('../errors/command-error.ts'),
    ])
    throw new CommandError({ code: 'recipe-unreadable', file, reason: systemReason(error) }, { cause: error })
  }
}
