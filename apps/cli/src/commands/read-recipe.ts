import { readFileSync } from 'node:fs'

/** Names a recipe in messages: `-` is what comes in on stdin. */
export const nameRecipe = (file: string): string => (file === '-' ? '<stdin>' : file)

/** Reads the file that a command is to merge by; `-` is stdin. @throws CommandError 'recipe-unreadable' */
export async function readRecipe(file: string): Promise<string> {
  try {
    if (file === '-' && process.stdin.isTTY)
      process.stderr.write('reading the recipe from the terminal; Ctrl-D ends it\n')
    return file === '-' ? await readAll(process.stdin) : readFileSync(file, 'utf8')
  } catch (error) {
    const [{ systemReason }, { CommandError }] = await Promise.all([
      import('@mk/errors'),
      import('../errors/command-error.ts'),
    ])
    throw new CommandError({ code: 'recipe-unreadable', file, reason: systemReason(error) }, { cause: error })
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
