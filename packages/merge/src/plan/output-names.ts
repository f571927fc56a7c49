import { fileRole } from '@mk/checkpoint/portable'

/** What an output has besides weights and what it copies. */
export const outputNames = {
  index: 'model.safetensors.index.json',
  config: 'config.json',
  recipe: 'mergekit_config.yml',
  moeRecipe: 'mergekit_moe_config.yml',
  card: 'README.md',
  adapterConfig: 'adapter_config.json',
} as const

const names: readonly string[] = Object.values(outputNames)
const dataFile = /^model(-\d{5,}-of-\d{5,})?\.safetensors$/

/** The only file of weights where the output is a GGUF. */
export const ggufFileName = 'model.gguf'

/** The only file of weights where the output is an adapter. */
export const adapterFileName = 'adapter_model.safetensors'

/** @param index of `count` data files, from 0 */
export const dataFileName = (index: number, count: number): string =>
  count === 1 ? 'model.safetensors' : `model-${number(index + 1)}-of-${number(count)}.safetensors`

const number = (value: number) => String(value).padStart(5, '0')

/** Tells whether a merge writes a file of that name, and does not copy it. */
export const isWrittenName = (name: string): boolean =>
  dataFile.test(name) || name === ggufFileName || name === adapterFileName || names.includes(name)

/** Tells whether a file's name is that of a part of a model, so that no one else's file has it. */
export function tellsUse(name: string): boolean {
  const role = fileRole(name)
  return role !== undefined && role !== 'other' && role !== 'code'
}

/** Finds the data file that has the record of what was copied, among the names of a folder's entries. */
export const findRecordFile = (entries: readonly string[]): string | undefined =>
  entries.find(
    (name) =>
      name === adapterFileName || (dataFile.test(name) && (name === dataFileName(0, 1) || /^model-0*1-of-/.test(name))),
  )

/** The entry of a data file's metadata that lists, as JSON, the files that were copied and whose names don't tell their use. */
const recordKey = 'mk.copied'

export const formatRecord = (copied: readonly string[]): Readonly<Record<string, string>> =>
  copied.length === 0 ? {} : { [recordKey]: JSON.stringify(copied) }

/** @returns nothing where there is no record, or what is no record of a merge's */
export function parseRecord(metadata: Readonly<Record<string, string>>): readonly string[] {
  try {
    const copied: unknown = JSON.parse(metadata[recordKey] ?? '[]')
    return Array.isArray(copied) ? copied.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}
