import type { ModelReference } from '@mk/config'
import type { TensorSource } from './tensor-source.ts'

/** An open model: what it says of itself and where its tensors are. Nothing is loaded. */
export interface Checkpoint {
  readonly reference: ModelReference
  /** The folder (or the hub cache's snapshot folder) that holds its small files; absent in raw mode. */
  readonly folder: string | undefined
  /** Parsed config.json; undefined in raw mode. */
  readonly config: Readonly<Record<string, unknown>> | undefined
  /** In the order of the files. Adapters and dequantisation are already part of the sources. */
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** Names of the small files that an output may copy: tokenizer files, generation_config.json, chat templates, … */
  readonly smallFiles: readonly string[]
  /** What a person should know: ignored adapter parts, buffers left out, … */
  readonly notes: readonly string[]
}
