import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { MergeError } from '../errors.ts'
import { type MergePlan, operationInputs } from '../plan/merge-plan.ts'
import { sourceFiles } from '@mk/source'
import { existingParent } from './check-space.ts'
import { writeReason } from './write-reason.ts'

export interface OutputOptions {
  readonly out: string
  /** Replace a folder that has files. */
  readonly overwrite: boolean
}

const nameInside = '.partial'

/**
 * Checks that a folder can become the output, before anything is opened or written.
 * @throws MergeError 'output-exists', 'output-unwritable'
 */
export async function checkOutput({ out, overwrite }: OutputOptions): Promise<void> {
  const entries = await readdir(out).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: writeReason(cause) }, { cause })
  })
  const entryCount = entries.filter((name) => name !== nameInside).length
  if (entryCount > 0 && !overwrite) throw new MergeError({ code: 'output-exists', folder: out, entryCount })
  try {
    accessSync(existingParent(dirname(partialFolder(out))), constants.W_OK)
  } catch (cause) {
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: writeReason(cause) }, { cause })
  }
}

/** Checks that no input is in the way. @throws MergeError 'output-is-input' where writing to `out` would replace an input or put files among its own */
export function checkOutputPlace(plan: MergePlan, out: string): void {
  const targets = [out, partialFolder(out)].map(realPath)
  const sources = plan.tensors.flatMap(({ operation }) => operationInputs(operation).map(({ source }) => source))
  const folders = plan.inputs.flatMap(({ folder }) => (folder === undefined ? [] : [folder]))
  for (const input of new Set([...folders, ...sourceFiles(sources), ...plan.copies.map(({ from }) => from)])) {
    const path = realPath(input)
    if (targets.some((target) => isWithin(path, target)) || (folders.includes(input) && isWithin(targets[0]!, path))) {
      throw new MergeError({ code: 'output-is-input', folder: out, input })
    }
  }
}

/**
 * Gives the folder where an output grows until it is whole: beside its place, so that it gets its name in one step; inside it where that
 * can't be renamed (a mounted volume, a folder that its owner got from somebody else).
 */
export function partialFolder(out: string): string {
  const folder = resolve(out)
  const beside = join(dirname(folder), `${basename(folder)}.partial`)
  return isRenamable(folder) ? beside : join(folder, nameInside)
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

/** Resolves symbolic links, as far as the path exists. */
function realPath(path: string): string {
  const whole = resolve(path)
  const existing = existingParent(whole)
  return join(realpathSync(existing), relative(existing, whole))
}

const isWithin = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
