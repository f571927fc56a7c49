import type { ModelReference } from '@mk/config'
import type { GgufMetadata } from '@mk/gguf'
import type { TensorSource } from '@mk/source'
import type { FileStates } from './files/file-states.ts'
import type { FileRole } from './files/file-roles.ts'
import type { ModelLicense } from './files/read-license.ts'

/** An open model: what is known of it, and where its tensors are. Of the weights nothing is loaded. */
export interface Checkpoint {
  readonly reference: ModelReference
  /** The folder (or the snapshot folder of the hub's cache) that holds its small files; undefined for tensors without a config. */
  readonly folder: string | undefined
  /** Where the model comes from, if it was not found on this machine under its path. */
  readonly hub: HubOrigin | undefined
  /** As the model's card states it; absent where it states none. */
  readonly license?: ModelLicense
  /** Where the adapters come from, in the order in which they apply; absent where there are none. */
  readonly adapters?: readonly AdapterOrigin[]
  /**
   * The value of config.json for the tensors as they are delivered: without what it says of quantization, which `documents`
   * still has. Undefined for tensors without a config.
   */
  readonly config: Readonly<Record<string, unknown>> | undefined
  /** config.json and generation_config.json by name, as far as they are there, as they stand in the folder. */
  readonly documents: ReadonlyMap<JsonDocument['name'], JsonDocument>
  /** The small files that an output may copy, config.json apart: paths inside `folder`, in alphabetical order. */
  readonly files: readonly CheckpointFile[]
  /** What the header of a GGUF says of the model, whose tensors then have the names of llama.cpp; absent for others. */
  readonly gguf?: GgufFacts
  /** In the order of the files. Adapters and dequantization are already part of the sources. */
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** The files that were read, or that a tokenizer is read from, and their states before; those that are yet to come are not among them. */
  readonly states: FileStates
  /** What a person should know: ignored adapter parts, tensors left out, … */
  readonly notes: readonly string[]
  /** Bytes of weights that are still at the hub; absent or 0 where everything is on this machine. */
  readonly downloadBytes?: number
  /**
   * Brings those bytes to the files that `tensors` name: to be called after planning, before anything is read. What an
   * earlier run brought is kept.
   */
  download?(onProgress?: (progress: DownloadProgress) => void, signal?: AbortSignal): Promise<void>
  /** Where its tensors lie in files that are still at the hub is not known: it has to be opened again when they are here. */
  readonly isProvisional?: true
}

/** What stands in the header of a GGUF beside its tensors. */
export interface GgufFacts {
  /** In its order; without the keys that number the files of a split one. */
  readonly metadata: GgufMetadata
  readonly alignment: number
}

/** The repository at the hub that a model is from, at the commit that was read. */
export interface HubOrigin {
  /** `org/name`. */
  readonly id: string
  /** What its branch or tag stood for when it was opened: 40 hexadecimal digits. */
  readonly commit: string
}

/** An adapter that is laid over a model. */
export interface AdapterOrigin {
  /** As the reference has it. */
  readonly path: string
  readonly hub: HubOrigin | undefined
  readonly license?: ModelLicense
}

/** A JSON file of a model, parsed once. */
export interface JsonDocument {
  readonly name: 'config.json' | 'generation_config.json'
  readonly text: string
  /** As Python reads it: NaN and infinities are numbers. */
  readonly value: Readonly<Record<string, unknown>>
}

/** A small file that belongs to a model besides weights: its config, tokenizer, license and the like. */
export interface CheckpointFile {
  /** A path inside the model's folder, with `/`. */
  readonly name: string
  readonly role: FileRole
  /** What it shows to be instead of what its name says, to go on from the name: `is a Git LFS pointer, …`. */
  readonly disguise?: string
  /** Where it is instead of in the model's folder: in another file, or nowhere yet, as the text that it will have. */
  readonly elsewhere?: { readonly file: string } | { readonly text: string }
}

/** How far the download of a model has come, in bytes. */
export interface DownloadProgress {
  /** The model's hub id. */
  readonly id: string
  readonly file: string
  readonly doneBytes: number
  /** Of all files that this download brings. */
  readonly totalBytes: number
  /** What earlier runs had brought of these files; counted in neither of the others. */
  readonly earlierBytes: number
}
