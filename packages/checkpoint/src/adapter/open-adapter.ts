import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorEntry } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { CheckpointError } from '../errors.ts'
import { openPickle } from '../pickle/open-pickle.ts'
import type { TensorSource } from '@mk/source'
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
  readonly headers?: ReadonlyMap<string, readonly TensorEntry[]>
}

/**
 * Opens a folder in PEFT's layout: adapter_config.json beside adapter_model.safetensors or adapter_model.bin.
 * @throws CheckpointError `adapter-…`, and what the file formats throw
 */
export async function openAdapter(
  folder: string,
  { name = folder, headers }: OpenAdapterOptions = {},
): Promise<Adapter> {
  const configFile = join(folder, 'adapter_config.json')
  const settings = parseAdapterConfig(await readConfig(configFile), configFile)
  const safetensors = join(folder, 'adapter_model.safetensors')
  const pickle = join(folder, 'adapter_model.bin')
  if (headers?.has(safetensors) === true || (await exists(safetensors))) {
    const entries = headers?.get(safetensors) ?? (await readSafetensorsHeader(safetensors)).tensors
    const sources = entries.map(({ name: tensor, dtype, shape, byteStart }): [string, TensorSource] => [
      tensor,
      { kind: 'file', dtype, shape, file: safetensors, byteStart },
    ])
    return { name, settings, tensors: new Map(sources) }
  }
  if (await exists(pickle)) return { name, settings, tensors: await openPickle([pickle]) }
  throw new CheckpointError({ code: 'adapter-weights-missing', adapter: name })
}

async function readConfig(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new CheckpointError(
      { code: 'adapter-config', file, problem: 'it is missing', expected: 'a folder in the layout of PEFT' },
      { cause },
    )
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
