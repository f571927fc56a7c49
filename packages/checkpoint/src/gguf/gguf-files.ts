const part = /^(?<stem>.+)-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/

/** What stands beside a model: the projector of a vision tower, statistics for quantizing. */
const beside = /(^|\/|[-.])(mmproj|imatrix)[-.]/i

/**
 * Lists the files of the GGUF model that a file is of: those of a split one have numbers.
 * @param name the file, or any of those of a split model
 */
export function ggufParts(name: string): readonly string[] {
  const groups = part.exec(name)?.groups
  if (groups === undefined || Number(groups['count']) === 0) return [name]
  return Array.from(
    { length: Number(groups['count']) },
    (_, index) => `${groups['stem']}-${String(index + 1).padStart(5, '0')}-of-${groups['count']}.gguf`,
  )
}

/** Lists the GGUF models among the files of a folder, each by its first file. */
export function ggufModels(names: readonly string[]): readonly string[] {
  const models = names.filter((name) => name.endsWith('.gguf') && !beside.test(name))
  return [...new Set(models.map((name) => ggufParts(name)[0]!))]
}
