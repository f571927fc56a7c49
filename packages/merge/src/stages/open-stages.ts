import type { Checkpoint, OpenOptions } from '@mk/checkpoint'
import { applyAdapters, type ModelPlaces, openCheckpointFrom } from '@mk/checkpoint/portable'
import { type ModelReference, sameModel } from '@mk/config'
import { hasCode, ifPresent, nearest } from '@mk/errors'
import type { FileStore } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { StageFacts } from '../open/merge-inputs.ts'
import type { OpenModel } from '../open/open-inputs.ts'

/** A merge that others can name, as the checkpoint that its folder would be. */
interface OpenStage extends StageFacts {
  /** How others name it. */
  readonly reference: ModelReference
  readonly checkpoint: Checkpoint
}

/** The models of several merges: those on disks and at the hub, each opened once, and those that are merges themselves. */
export interface StageModels {
  readonly open: OpenModel
  /** Makes a merge known to those after it. */
  add(stage: OpenStage): void
  /** Gives the same models after their weights have been downloaded; no merge is known to them. */
  whenHere(): StageModels
}

/** Creates the models of the merges of one recipe file, at first without any merge. @param names of all merges of the file */
export function createStageModels(
  names: readonly string[],
  files: Map<string, Promise<Checkpoint>> = new Map(),
): StageModels {
  const stages: OpenStage[] = []
  const openFile = (places: ModelPlaces, reference: ModelReference, options: OpenOptions) => {
    const key = JSON.stringify(reference)
    const opening = files.get(key) ?? openCheckpointFrom(places, reference, options)
    files.set(key, opening)
    return opening
  }
  return {
    async open(places, reference, options) {
      const stage = stages.find((each) => sameModel(each.reference, { ...reference, adapters: [] }))
      if (stage === undefined)
        return {
          checkpoint: await openFile(places, reference, options).catch((error) => fail(error, reference, options)),
        }
      const checkpoint = { ...stage.checkpoint, reference }
      return {
        stage,
        checkpoint: reference.adapters.length === 0 ? checkpoint : await applyAdapters(places, checkpoint, options),
      }
    },
    add: (stage) => void stages.push(stage),
    whenHere() {
      const here = async (checkpoint: Promise<Checkpoint>) => ({ ...(await checkpoint), downloadBytes: 0 })
      return createStageModels(names, new Map([...files].map(([key, opening]) => [key, here(opening)])))
    },
  }

  /** A name that nothing has may have been meant to be that of a merge. */
  function fail(error: unknown, { path }: ModelReference, { where = 'config' }: OpenOptions): never {
    const meant = nearest(path, names)
    if (meant === undefined || !hasCode(error, 'folder-not-found', 'model-not-found', 'model-unreachable')) throw error
    throw new MergeError({ code: 'unknown-merge', name: path, nearest: meant, where }, { cause: error })
  }
}

/** Warns of names of merges that are folders, too. */
export async function listShadowed(
  store: FileStore,
  names: readonly string[],
  roots: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      for (const path of roots.map((root) => store.resolve(root, name)))
        if ((await ifPresent(store.stat(path))) !== undefined)
          return `'${name}' is the merge of that name, though there is a folder ${path}; name the folder by its whole path, or the merge otherwise`
      return undefined
    }),
  )
  return found.filter((warning) => warning !== undefined)
}
