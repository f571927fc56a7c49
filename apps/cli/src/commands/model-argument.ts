import { stat } from 'node:fs/promises'

/** A model as an argument gives it, in a form that recipes take: a reference, or a path. */
export type ModelArgument = string | { readonly model: { readonly path: string } }

/** Reads a model of a command line: what is there is meant as a path, though there may be a + or @ in its name. */
export async function readModelArgument(text: string): Promise<ModelArgument> {
  if (!/[+@]/.test(text)) return text
  const isThere = (await stat(text).catch(() => undefined)) !== undefined
  return isThere ? { model: { path: text } } : text
}
