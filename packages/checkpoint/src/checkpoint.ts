import type { ModelReference } from '@mk/config'
import type { TensorSource } from '@mk/source'

/** An open model: what it says of itself and where its tensors are. Nothing is loaded. */
export interface Checkpoint {
  readonly reference: ModelReference
  /** The folder (or the hub cache's snapshot folder) that holds its small files; absent in raw mode. */
  readonly folder: string | undefined
  /** Parsed config.json, of the tensors as delivered: without what it says of quantisation. Undefined in raw mode. */
  readonly config: Readonly<Record<string, unknown>> | undefined
  /** In the order of the files. Adapters and dequantisation are already part of the sources. */
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** Names of the small files that an output may copy: tokenizer files, generation_config.json, chat templates, … */
  readonly smallFiles: readonly string[]
  /** What a person should know: ignored adapter parts, tensors left out, … */
  readonly notes: readonly string[]
  /** Bytes of weights that are still at the hub; absent or 0 where everything is on this machine. */
  readonly downloadBytes?: number
  /**
   * Brings those bytes to the files that `tensors` name: to be called after planning, before anything is read. What an
   * earlier run brought is kept.
   */
  download?(onProgress?: (progress: DownloadProgress) => void): Promise<void>
}

export interface DownloadProgress {
  /** The model's hub id. */
  readonly id: string
  readonly file: string
  readonly doneBytes: number
  /** Of all files that this download brings. */
  readonly totalBytes: number
}
