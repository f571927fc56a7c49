import type { GgufHeader } from '@mk/gguf'
import type { TensorEntry } from '@mk/safetensors'
import type { DownloadProgress } from '../checkpoint.ts'
import type { KnownPickles } from '../pickle/open-pickle.ts'
import type { HubOptions } from './hub-settings.ts'

/** What is wanted of a repository, besides how the hub is reached. */
export interface ResolveHubOptions extends HubOptions {
  /** 'model' if absent. */
  readonly purpose?: 'model' | 'adapter'
  /** A GGUF by its path in the repository, where it may have several models. */
  readonly gguf?: string
  /** List what pickles have, by ranges, instead of bringing them before they are asked for, where they have a directory. */
  readonly listPickles?: boolean
  /** For what comes before it is asked for: pickles, unless they are only listed. */
  readonly onProgress?: (progress: DownloadProgress) => void
}

/** A model of the hub: its small files are in the cache, its weights are or can be brought. */
export interface HubModel {
  readonly id: string
  readonly commit: string
  /** The snapshot in the cache. */
  readonly folder: string
  /** Everything that a merge needs of it, the weights included, whether they are there yet or not. */
  readonly files: readonly string[]
  /** By path: the safetensors whose bytes are still at the hub. */
  readonly headers: ReadonlyMap<string, readonly TensorEntry[]>
  /** By path: what torch files have that are still at the hub; none unless it was asked for. */
  readonly pickles: KnownPickles
  /** By path: the same of GGUFs. */
  readonly ggufHeaders: ReadonlyMap<string, GgufHeader>
  /** The file of the GGUF that the model is, in `folder`; undefined for others. */
  readonly gguf: string | undefined
  /** Reads a few bytes of one of those, [byteStart, byteEnd). @throws `hub-…` */
  readRange(path: string, byteStart: number, byteEnd: number): Promise<Uint8Array>
  /** What `download` will bring; 0 where everything is in the cache. */
  readonly downloadBytes: number
  readonly notes: readonly string[]
  /** Brings the weights, several files at a time; goes on where an earlier run broke off. @throws `hub-…` */
  download(onProgress?: (progress: DownloadProgress) => void, signal?: AbortSignal): Promise<void>
}

/** Finds a model of the hub, as `resolveHubModel` does for this machine. */
export type ResolveHubModel = (
  id: string,
  revision: string | undefined,
  options: ResolveHubOptions,
) => Promise<HubModel>
