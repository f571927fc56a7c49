import { existsSync } from 'node:fs'
import { type HubOptions, openHubRanges } from '@mk/checkpoint'
import type { OpenFiles, TensorSource } from '@mk/source'
import { createOpenFiles } from '@mk/source/node'
import { hubPlaceOf } from './input-files.ts'
import { extentsOf } from './source-extents.ts'
import { streamFiles } from './stream-inputs.ts'

/** Bytes that are here for a while. */
export interface BroughtSources {
  openFiles(): OpenFiles
  drop(): Promise<void>
}

/**
 * Brings what sources read of files that are only at the hub, for a look at them before the plan is made.
 * @throws CheckpointError `hub-…`; MergeError 'disk-space', 'write-failed'
 */
export async function bringSources(sources: readonly TensorSource[], hub: HubOptions = {}): Promise<BroughtSources> {
  const files = [...extentsOf(sources)].flatMap(([path, extents]) => {
    const place = hubPlaceOf(path)
    return place === undefined || existsSync(path) ? [] : [{ path, place, extents }]
  })
  const { locate, drop } = await streamFiles(await openHubRanges(hub), files, { signal: hub.signal })
  return {
    openFiles() {
      const opened = createOpenFiles()
      return { read: (file, ...range) => opened.read(locate(file), ...range), close: () => opened.close() }
    },
    drop,
  }
}
