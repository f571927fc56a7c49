import { type ModelReference, parseModelReference } from '@mk/config'
import { isRecord } from '@mk/errors'
import { nodeFiles } from '@mk/source/node'
import type { Checkpoint } from '../checkpoint.ts'
import { stateOfFile } from '../files/file-states.ts'
import { type ModelPlaces, openCheckpointFrom, type OpenOptions } from '../open/open-checkpoint.ts'

/** This machine's files, and the hub with its cache there. */
export const nodePlaces: ModelPlaces = {
  store: nodeFiles,
  resolveHub: async (...model) => (await import('../hub/resolve-hub-model.ts')).resolveHubModel(...model),
}

/**
 * Opens what a reference names: a model's folder, a file of tensors, or a model of the hub, with its adapters. Reads configs
 * and headers and checks them; of the weights nothing is read.
 * @param reference the path of a folder or file, or the id of a model of the hub, perhaps with a revision and adapters: as a recipe has
 * it, `org/name@revision+adapter`; or its parts
 * @throws CheckpointError; ConfigError for what is no reference; the signal's reason; SafetensorsError for a broken safetensors file or index
 */
export const openCheckpoint = async (
  reference: string | ModelReference,
  { roots = [process.cwd()], ...options }: Partial<OpenOptions> = {},
): Promise<Checkpoint> =>
  openCheckpointFrom(nodePlaces, isParsed(reference) ? reference : parseModelReference(reference), {
    roots,
    ...options,
  })

/** Plain JavaScript gives anything; what is no reference is refused as one of a recipe is. */
const isParsed = (reference: unknown): reference is ModelReference =>
  isRecord(reference) && typeof reference['path'] === 'string' && Array.isArray(reference['adapters'])

/** Tells the state of a file; undefined where there is none. @throws what the operating system says */
export const fileState = (file: string): Promise<string | undefined> => stateOfFile(nodeFiles, file)
