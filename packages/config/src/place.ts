import type { ConfigPath } from './merge-config.ts'

/** A place in a file; line and column count from 1. */
export interface TextPosition {
  readonly line: number
  readonly column: number
}

/** A place in an object that stands for a file. */
export interface ObjectPosition {
  readonly path: ConfigPath
  /** Counts the values of the object in their order, from 0. */
  readonly order: number
}

/** Where something is written. */
export type Position = TextPosition | ObjectPosition

/**
 * Writes a place as `recipe.yml:3:12`, without a file as `config:3:12`; one in an object as its path,
 * `slices[0].sources[1].parameters.t`.
 */
export function formatPlace(file: string | undefined, position: Position | undefined): string {
  if (position !== undefined && 'path' in position) return formatPath(position.path)
  return `${file ?? 'config'}${position === undefined ? '' : `:${position.line}:${position.column}`}`
}

/** Writes a path as `models[0].parameters.weight`; names that need it are quoted. The top is `the config`. */
export function formatPath(path: ConfigPath): string {
  if (path.length === 0) return 'the config'
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}

/** Compares two places of one file or object: which comes first. What has no place comes before all others. */
export const comparePositions = (a: Position | undefined, b: Position | undefined): number => orderOf(a) - orderOf(b)

function orderOf(position: Position | undefined): number {
  if (position === undefined) return 0
  return 'path' in position ? position.order : position.line * 1e6 + position.column
}
