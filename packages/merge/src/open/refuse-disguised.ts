import type { Checkpoint, CheckpointFile } from '@mk/checkpoint'
import { CheckpointError } from '@mk/checkpoint/portable'
import { joinPath } from '@mk/source'

/** A file of a model that is to be read or copied. */
type Wanted = (file: CheckpointFile) => boolean

/**
 * Refuses a model in which a wanted file is something else than its name says.
 * @throws CheckpointError `disguised-file`
 */
export function refuseDisguised({ files, folder }: Checkpoint, wanted: Wanted): void {
  for (const file of files)
    if (file.disguise !== undefined && wanted(file))
      throw new CheckpointError({ code: 'disguised-file', file: joinPath(folder!, file.name), found: file.disguise })
}
