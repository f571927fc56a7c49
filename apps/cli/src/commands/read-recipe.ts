import { createReadStream } from 'node:fs'

/** Names a recipe in messages: `-` is what comes in on stdin. */
export const nameRecipe = (file: string): string => (file === '-' ? '<stdin>' : file)

/** Reads the file that a command is to merge by, which may be a pipe; `-` is stdin. @throws CommandError 'recipe-unreadable' */
export async function readRecipe(file: string): Promise<string> {
  try {
    if (file === '-' && process.stdin.isTTY)
      process.stderr.write('reading the recipe from the terminal; Ctrl-D ends it\n')
    return await readAll(file === '-' ? process.stdin : createReadStream(file))
  } catch (error) {
    const [{ systemReason }, { CommandError }] = await Promise.all([
      import('@mk/errors'),
      import('../errors/command-error.ts'),
    ])
    throw new CommandError({ code: 'recipe-unreadable', file, reason: systemReason(error) }, { cause: error })
  }
}

/** In bytes; far more than a recipe may have. A device has no end. */
const longest = 2 ** 26

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > longest) throw new Error(`it has more than ${longest} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
