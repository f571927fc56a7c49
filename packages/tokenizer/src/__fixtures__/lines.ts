import { readdirSync, readFileSync } from 'node:fs'

/**
 * Lines of ordinary text, always the same for the same repository: prose and code from this package's files, sentences in
 * two dozen scripts, emoji and symbols; whole, cut anywhere and mixed, with the white space and numbers that text has.
 */
export function ordinaryLines(count: number): string[] {
  const folder = new URL('../', import.meta.url)
  const sources = [
    new URL('__fixtures__/texts.txt', folder),
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => new URL(name, folder)),
  ]
  const texts = readFileSync(sources[0]!, 'utf8').split('\n')
  const all = [...texts, ...sources.slice(1).flatMap((file) => readFileSync(file, 'utf8').split('\n'))].filter(
    (line) => line.trim() !== '' && !/<\||<tool_call>|<mark>|\uFDD0/.test(line),
  )
  const next = createRandom(20240229)
  const pick = <T>(items: readonly T[]): T => items[next(items.length)]!
  const span = (): string => {
    const characters = [...pick(next(2) === 0 ? texts : all)]
    const start = next(characters.length + 1)
    return characters.slice(start, start + 1 + next(40)).join('')
  }
  const pieces = [
    span,
    span,
    () => String(next(10 ** (1 + next(9)))),
    () => pick(['\t', '  ', '   ', ' ', ' ', '-', '_', '…', '😀', '👩‍🚀', '\u0301', ', ']),
  ]
  const mixed = (): string => Array.from({ length: 2 + next(5) }, () => pick(pieces)()).join('')
  return Array.from({ length: count }, (_, index) => (index < all.length ? all[index]! : mixed()))
}

/** Park and Miller's minimal standard generator. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}
