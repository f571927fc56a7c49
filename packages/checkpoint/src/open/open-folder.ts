import type { ModelConfig } from '@mk/architecture'
import { CheckpointError } from '../errors.ts'
import { type KnownHeaders, reading } from '../files/read-file.ts'
import { selectFiles } from '../files/select-files.ts'
import { type FileStore, joinPath, type TensorSource } from '@mk/source'
import type { KnownPickles } from '../pickle/open-pickle.ts'
import { openSafetensors } from './open-safetensors.ts'

/** The tensors of a model's folder before adapters and dequantization. */
export interface OpenedFolder {
  readonly tensors: ReadonlyMap<string, TensorSource>
  readonly notes: readonly string[]
}

/** What is known of files that are still at the hub, by path. */
export interface KnownFiles {
  readonly headers: KnownHeaders
  readonly pickles: KnownPickles
}

/**
 * Opens the weights that a folder has: safetensors before pickles, an index before files, the usual name before any other.
 * @param known of files that are yet to be downloaded
 * @param config config.json, which says whether listed tensors may be copies of others
 * @throws CheckpointError no-weights, shard-missing, index-tensor-missing, tensor-twice, `pickle-…`, `zip-…`; SafetensorsError
 */
export async function openFolder(
  store: FileStore,
  folder: string,
  { headers, pickles }: KnownFiles,
  config?: ModelConfig,
): Promise<OpenedFolder> {
  const awaited = [...headers.keys(), ...pickles.keys()]
    .filter((file) => file.startsWith(folder))
    .map((file) => file.slice(folder.length + 1))
  const names = [...new Set([...(await reading(folder, () => store.list(folder))), ...awaited])].sort()
  const { weights, index, format } = selectFiles(names, 'model')
  switch (format) {
    case 'safetensors': {
      const { tensors, notes } = await openSafetensors(store, { folder, names: weights, index }, headers, config)
      const used = new Set([...tensors.values()].map(({ file }) => file))
      return { tensors, notes: [...notes, ...noteUnused(folder, names, used)] }
    }
    case 'pickle': {
      const notes: string[] = []
      const { openPickle } = await import('../pickle/open-pickle.ts')
      const files = index === undefined ? weights : [index]
      return {
        tensors: await openPickle(
          store,
          files.map((name) => joinPath(folder, name)),
          { onNote: (note) => notes.push(note), known: pickles },
        ),
        notes,
      }
    }
    case undefined:
      throw new CheckpointError({ code: 'no-weights', folder, found: names })
    default:
      return format satisfies never
  }
}

/** `consolidated` files hold the same weights in another layout and need no mention. */
function noteUnused(folder: string, names: readonly string[], used: ReadonlySet<string>): string[] {
  const unused = names.filter(
    (name) =>
      name.endsWith('.safetensors') && !/^(consolidated|adapter_model)/.test(name) && !used.has(joinPath(folder, name)),
  )
  return unused.length === 0
    ? []
    : [`${folder}: ${unused.join(', ')} ${unused.length === 1 ? 'is' : 'are'} not part of the model and left out`]
}
