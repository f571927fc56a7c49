import type { ConfigPath } from './merge-config.ts'

/** A place in a file; line and column count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Writes a place as `recipe.yml:3:12`; without a file the word `config` stands for it. */
export const formatPlace = (file: string | undefined, position: Position | undefined): string =>
  `${file ?? 'config'}${position === undefined ? '' : `:${position.line}:${position.column}`}`

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
