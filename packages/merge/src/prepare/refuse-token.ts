import { type ConfigPath, formatPath, formatPlace } from '@mk/config'
import { indexOfToken } from '@mk/errors'
import { MergeError } from '../errors.ts'

/**
 * Refuses a recipe with a token in it: an output has a copy of its recipe, and is published.
 * @throws MergeError 'recipe-token'
 */
export function refuseToken(recipe: string | object, file: string | undefined): void {
  const where = typeof recipe === 'string' ? placeOfToken(recipe, file) : pathOfToken(recipe)
  if (where !== undefined) throw new MergeError({ code: 'recipe-token', where })
}

function placeOfToken(text: string, file: string | undefined): string | undefined {
  const index = indexOfToken(text)
  if (index < 0) return undefined
  const before = text.slice(0, index).split('\n')
  return formatPlace(file, { line: before.length, column: before.at(-1)!.length + 1 })
}

function pathOfToken(value: unknown, path: ConfigPath = [], seen = new Set<unknown>()): string | undefined {
  if (typeof value === 'string') return indexOfToken(value) < 0 ? undefined : formatPath(path)
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  for (const [key, child] of Object.entries(value)) {
    if (indexOfToken(key) >= 0) return `a key of ${formatPath(path)}`
    const found = pathOfToken(child, [...path, Array.isArray(value) ? Number(key) : key], seen)
    if (found !== undefined) return found
  }
  return undefined
}
