import type { CheckpointFile } from '../checkpoint.ts'
import { fileRole, isWeights } from './file-roles.ts'

/** In bytes; a file whose use its name doesn't tell and that is larger is no setting. */
export const largestOther = 64 * 2 ** 20
/** More of them are no settings. */
const mostOthers = 2000

export interface CopiedFiles {
  readonly files: readonly CheckpointFile[]
  /** In words, without the model: what stays behind though a loader may read it. */
  readonly left: readonly string[]
}

/**
 * Chooses the files of a model that an output copies. A folder with weights of its own is a model of its own and stays behind;
 * so does what is too large or too much to be settings.
 * @param found files by their path, in the order in which they are to be listed
 */
export function selectCopied(
  found: readonly { readonly name: string; readonly byteCount: number }[],
  hasOwnCode: boolean,
): CopiedFiles {
  const models = new Set(
    found.flatMap(({ name }) => (isWeights(name) && fileRole(name) === undefined ? folderOf(name) : [])),
  )
  const files: CheckpointFile[] = []
  const large: string[] = []
  const inModels = new Set<string>()
  let others = 0
  for (const { name, byteCount } of found) {
    const role = fileRole(name)
    if (role === undefined || (role === 'code' && !hasOwnCode)) continue
    const model = [...models].find((folder) => name.startsWith(folder))
    if (model !== undefined) inModels.add(model)
    else if (role === 'other' && (byteCount > largestOther || others++ >= mostOthers)) large.push(name)
    else files.push({ name, role })
  }
  return {
    files,
    left: [
      ...[...inModels].map(
        (folder) =>
          `${folder} holds weights of its own, which are not merged; it is left out, copy it if the model needs it`,
      ),
      ...(large.length === 0
        ? []
        : [
            `${large.slice(0, 3).join(', ')}${large.length > 3 ? ` and ${large.length - 3} more` : ''} left out, being no settings by their size or number; copy them if the model needs them`,
          ]),
    ],
  }
}

/** With the closing slash; nothing for a file at the top. */
const folderOf = (name: string): readonly string[] =>
  name.includes('/') ? [name.slice(0, name.lastIndexOf('/') + 1)] : []
