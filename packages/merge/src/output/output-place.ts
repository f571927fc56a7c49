import { accessSync, constants, existsSync, lstatSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { MergeError } from '../errors.ts'
import { existingParent } from './check-space.ts'
import type { TakenPlace } from './issues.ts'
import { systemReason } from '@mk/errors'

/** Where an output goes, and where what belongs to it lies before it is whole. */
export interface OutputPlace {
  /** Absolute, symbolic links followed. */
  readonly out: string
  /** The folder in which it grows. */
  readonly partial: string
  /** Whether it grows inside of `out`, and its entries move out one by one in the end. */
  readonly isInside: boolean
  /** The folder that `partial` is in. */
  readonly around: string
  /** How the other names in `around` that are a merge's begin: the lock, what is complete, what is to be deleted. */
  readonly prefix: string
}

/**
 * Finds the place of an output: beside `out`, so that it gets its name in one step; inside it where that can't be renamed (a mounted
 * volume, a folder that its owner got from somebody else).
 * @param recipe the file that is merged by, whose folder is no output
 * @throws MergeError 'output-unnamed', 'output-place', 'output-unwritable'
 */
export function findOutputPlace(path: string, recipe?: string): OutputPlace {
  if (path === '') throw new MergeError({ code: 'output-unnamed' })
  const out = resolveLinks(path)
  const taken = takenPlace(out, recipe)
  if (taken !== undefined) throw new MergeError({ code: 'output-place', folder: path, ...taken })
  const isInside = !isRenamable(out)
  const name = basename(out)
  return isInside
    ? { out, isInside, around: out, partial: join(out, '.partial'), prefix: '.partial-' }
    : {
        out,
        isInside,
        around: dirname(out),
        partial: join(dirname(out), `${name}.partial`),
        prefix: `.${name}.partial-`,
      }
}

/** Tells whether an entry of an output that grows inside is not the output's own: what belongs to the merge, or to a file system. */
export const isBesides = ({ isInside }: OutputPlace, name: string): boolean =>
  isInside && (name === '.partial' || name.startsWith('.partial-') || name === 'lost+found')

/** How the name of a folder begins that only lacks its final name. */
export const completePrefix = ({ prefix }: OutputPlace): string => `${prefix}complete-`

/** Names the folder in which an output is complete and only lacks its final name. */
export const completeFolder = (place: OutputPlace, { output }: { readonly output: string }): string =>
  join(place.around, `${completePrefix(place)}${output.slice(0, 16)}`)

/** How the name of an older output begins that has stepped aside. */
export const replacedPrefix = ({ out }: OutputPlace): string => `.${basename(out)}.replaced-`

/** Resolves symbolic links, as far as the path exists. */
export function realPath(path: string): string {
  const whole = resolve(path)
  const existing = existingParent(whole)
  return join(realpathSync(existing), relative(existing, whole))
}

/** Tells whether a path is a folder, or in it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

function resolveLinks(path: string): string {
  const whole = resolve(path)
  try {
    if (lstatSync(whole, { throwIfNoEntry: false })?.isSymbolicLink() === true && !existsSync(whole))
      throw new MergeError({ code: 'output-unwritable', folder: path, reason: 'it is a symbolic link to nowhere' })
    return realPath(whole)
  } catch (cause) {
    if (cause instanceof MergeError) throw cause
    throw new MergeError({ code: 'output-unwritable', folder: path, reason: systemReason(cause) }, { cause })
  }
}

function takenPlace(
  out: string,
  recipe: string | undefined,
): { readonly taken: TakenPlace; readonly isAbove: boolean } | undefined {
  const folders: readonly (readonly [TakenPlace, () => string])[] = [
    ['the current folder', () => process.cwd()],
    ['the home folder', homedir],
    ['the folder of the recipe', () => dirname(resolve(recipe!))],
  ]
  for (const [taken, find] of folders) {
    if (taken === 'the folder of the recipe' && (recipe === undefined || !existsSync(recipe))) continue
    const folder = pathOf(find)
    if (folder === undefined) continue
    if (isWithin(folder, out)) return { taken, isAbove: folder !== out }
  }
  return undefined
}

/** There may be none: a current folder that was deleted, a user without a home. */
function pathOf(find: () => string): string | undefined {
  try {
    return realPath(find())
  } catch {
    return undefined
  }
}

function isRenamable(folder: string): boolean {
  const device = statSync(folder, { throwIfNoEntry: false })?.dev
  if (device === undefined) return true
  try {
    accessSync(dirname(folder), constants.W_OK)
  } catch {
    return false
  }
  return statSync(dirname(folder)).dev === device
}
