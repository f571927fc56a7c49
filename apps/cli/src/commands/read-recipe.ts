import { readFileSync } from 'node:fs'

/** Reads the file that a command is to merge by. @throws CommandError 'recipe-unreadable' */
export async function readRecipe(file: string): Promise<string> {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const { CommandError } = await import('../errors/command-error.ts')
    throw new CommandError(
      { code: 'recipe-unreadable', file, reason: code === 'ENOENT' ? 'there is no such file' : message },
      { cause: error },
    )
  }
}
