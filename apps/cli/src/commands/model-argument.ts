import { stat } from 'node:fs/promises'

/** A model as an argument gives it, in a form that recipes take: a reference, or a path. */
export type ModelArgument = string | { readonly model: { readonly path: string } }

/**
 * Reads a model of a command line: what is there is meant as a path, though there may be a + or @ in its name.
 * @throws CommandError 'model-unnamed', as a variable gives that isn't set
 */
export async function readModelArgument(text: string): Promise<ModelArgument> {
  if (text.trim() === '') {
    const { CommandError } = await import('../errors/command-error.ts')
    throw new CommandError({ code: 'model-unnamed' })
  }
  if (!/[+@]/.test(text)) return text
  const isThere = (await stat(text).catch(() => undefined)) !== undefined
  return isThere ? { model: { path: text } } : text
}
