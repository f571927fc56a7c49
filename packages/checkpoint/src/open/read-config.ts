import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import { parsePythonJson } from './python-json.ts'

export type ModelConfig = Readonly<Record<string, unknown>>

/** @returns config.json of a model's folder, undefined where there is none. @throws CheckpointError config-json */
export async function readModelConfig(folder: string): Promise<ModelConfig | undefined> {
  const file = join(folder, 'config.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  let config: unknown
  try {
    config = parsePythonJson(text)
  } catch (cause) {
    throw new CheckpointError({ code: 'config-json', file, reason: (cause as Error).message }, { cause })
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new CheckpointError({ code: 'config-json', file, reason: 'is no object' })
  return config as ModelConfig
}
