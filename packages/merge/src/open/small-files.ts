import { joinPath } from '@mk/source'
import type { Checkpoint, CheckpointFile } from '@mk/checkpoint'
import type { FilesElsewhere } from '@mk/tokenizer'

/** A small file of an input: where it lies, or the text of one that the plan of another merge has and no disk. */
export type SmallFile = { readonly file: string } | { readonly text: string }

/** Finds a small file of a model. */
export const smallFile = ({ folder }: Checkpoint, { name, elsewhere }: CheckpointFile): SmallFile =>
  elsewhere ?? { file: joinPath(folder!, name) }

/** Finds the files of a model that isn't a folder; undefined where it is one. */
export function filesElsewhere(checkpoint: Checkpoint): FilesElsewhere | undefined {
  const { files } = checkpoint
  if (files.every(({ elsewhere }) => elsewhere === undefined)) return undefined
  return new Map(files.map((file) => [file.name, smallFile(checkpoint, file)]))
}

/** Small files as an output gets them: texts to write, and files to copy. */
export interface TakenFiles {
  readonly documents: readonly { readonly name: string; readonly text: string }[]
  readonly copies: readonly { readonly name: string; readonly from: string }[]
}

/** Takes small files of a model for an output. */
export function takeFiles(checkpoint: Checkpoint, files: readonly CheckpointFile[]): TakenFiles {
  const found = files.map((file) => ({ name: file.name, place: smallFile(checkpoint, file) }))
  return {
    documents: found.flatMap(({ name, place }) => ('text' in place ? [{ name, text: place.text }] : [])),
    copies: found.flatMap(({ name, place }) => ('file' in place ? [{ name, from: place.file }] : [])),
  }
}
