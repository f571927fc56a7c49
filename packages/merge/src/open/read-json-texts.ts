import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MergeInputs } from './merge-inputs.ts'

/** The donor's JSON files that an output may revise, as they stand; what is not there is left out. */
export async function readJsonTexts({ checkpoints, donor }: MergeInputs): Promise<ReadonlyMap<string, string>> {
  const { folder } = checkpoints[donor]!
  const texts = new Map<string, string>()
  if (folder === undefined) return texts
  for (const name of ['config.json', 'generation_config.json']) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined)
    if (text !== undefined) texts.set(name, text)
  }
  return texts
}
