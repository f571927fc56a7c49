import { formatPlace } from '@mk/config'
import { indexOfToken } from '@mk/errors'
import { MergeError } from '../errors.ts'

/** Refuses a recipe with a token in it: an output has a copy of its recipe, and is published. @throws MergeError 'recipe-token' */
export function refuseToken(text: string, file: string | undefined): void {
  const index = indexOfToken(text)
  if (index < 0) return
  const before = text.slice(0, index).split('\n')
  const position = { line: before.length, column: before.at(-1)!.length + 1 }
  throw new MergeError({ code: 'recipe-token', where: formatPlace(file, position) })
}
