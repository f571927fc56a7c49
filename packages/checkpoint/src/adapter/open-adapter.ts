import { CheckpointError } from '../errors.ts'
import { parsing } from '../files/disguise.ts'
import { type KnownHeaders, readFileSources, readText } from '../files/read-file.ts'
import { openPickle } from '../pickle/open-pickle.ts'
import { type FileStore, joinPath, type TensorSource } from '@mk/source'
import { type AdapterSettings, parseAdapterConfig } from './adapter-config.ts'

/** An open LoRA adapter: its settings and where its tensors are. */
export interface Adapter {
  /** For messages: the folder or hub id as it was named. */
  readonly name: string
  readonly settings: AdapterSettings
  readonly tensors: ReadonlyMap<string, TensorSource>
}

export interface OpenAdapterOptions {
  /** What messages call it; the folder if absent. */
  readonly name?: string
  /** Headers by path, of files whose tensors are yet to be downloaded. */
  readonly headers?: KnownHeaders
}

/**
 * Opens a folder in PEFT's layout: adapter_config.json beside adapter_model.safetensors or adapter_model.bin.
 * @throws CheckpointError `adapter-…`, and what the file formats throw
 */
export async function openAdapter(
  store: FileStore,
  folder: string,
  { name = folder, headers }: OpenAdapterOptions = {},
): Promise<Adapter> {
  const configFile = joinPath(folder, 'adapter_config.json')
  const settings = await parsing(store, configFile, async () =>
    parseAdapterConfig(await readConfig(store, configFile), configFile),
  )
  const safetensors = joinPath(folder, 'adapter_model.safetensors')
  const pickle = joinPath(folder, 'adapter_model.bin')
  const sources = await readFileSources(store, safetensors, headers)
  if (sources !== undefined) return { name, settings, tensors: sources }
  if (await exists(store, pickle)) return { name, settings, tensors: await openPickle(store, [pickle]) }
  throw new CheckpointError({ code: 'adapter-weights-missing', adapter: name })
}

async function readConfig(store: FileStore, file: string): Promise<string> {
  const text = await readText(store, file)
  if (text !== undefined) return text
  const expected = 'a folder in the layout of PEFT'
  throw new CheckpointError({ code: 'adapter-config', file, problem: 'it is missing', expected })
}

const exists = (store: FileStore, path: string): Promise<boolean> =>
  store.stat(path).then(
    () => true,
    () => false,
  )
