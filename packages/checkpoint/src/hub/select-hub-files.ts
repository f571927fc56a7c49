import { ggufModels, ggufParts } from '../gguf/gguf-files.ts'
import { type FileSelection, selectFiles } from '../files/select-files.ts'

/** What of a repository is wanted; of GGUFs several models may be in one. */
export interface WantedFiles {
  readonly purpose: 'model' | 'adapter'
  /** A GGUF by its path in the repository. */
  readonly gguf?: string | undefined
}

export interface HubSelection extends Omit<FileSelection, 'format'> {
  readonly format: FileSelection['format'] | 'gguf'
  /** The GGUF that is selected, else those among which there is a choice. */
  readonly ggufs: readonly string[]
}

/** Chooses the files of a repository that a merge needs: weights for training before a GGUF, if there is only one. */
export function selectHubFiles(names: readonly string[], { purpose, gguf }: WantedFiles): HubSelection {
  const selection = selectFiles(names, purpose)
  const ggufs =
    gguf !== undefined ? [gguf] : purpose === 'adapter' || selection.format !== undefined ? [] : ggufModels(names)
  if (ggufs.length !== 1) return { ...selection, ggufs }
  const small = selection.small.filter((name) => name === 'README.md')
  return { small, weights: ggufParts(ggufs[0]!), index: undefined, format: 'gguf', ggufs }
}

/** The folder of the repository that has the wanted files; undefined for the top level. */
export function folderOf({ gguf }: WantedFiles): string | undefined {
  const end = gguf?.lastIndexOf('/') ?? -1
  return end <= 0 ? undefined : gguf!.slice(0, end)
}
