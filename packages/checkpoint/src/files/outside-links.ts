import type { FileStore } from '@mk/source'
import { reading, readingIfPresent } from './read-file.ts'

/** Where tools of Hugging Face put the files that their links lead to. */
const blob = /[/\\]models--[^/\\]+[/\\]blobs[/\\][0-9a-f]{40}([0-9a-f]{24})?$/
const shown = 3

/**
 * Notes which files of a model are links that lead out of its folder, and to no cache of the hub: what they name is read as the
 * model's, and may come into an output that somebody publishes.
 * @param files their paths
 * @throws CheckpointError `unreadable-model`
 */
export async function noteOutsideLinks(
  store: FileStore,
  folder: string,
  files: readonly string[],
): Promise<readonly string[]> {
  const real = await reading(folder, () => store.realPath(folder))
  const home = real + (real.includes('\\') && !real.includes('/') ? '\\' : '/')
  const outside: string[] = []
  for (const file of files) {
    const target = await readingIfPresent(file, () => store.realPath(file))
    if (target === undefined || target.startsWith(home) || blob.test(target)) continue
    outside.push(`${file.slice(folder.replace(/[/\\]$/, '').length + 1)} to ${target}`)
  }
  if (outside.length === 0) return []
  const more = outside.length > shown ? ` and ${outside.length - shown} more` : ''
  const [links, are] = outside.length === 1 ? ['a link leads', 'it is'] : ['links lead', 'they are']
  return [`${folder}: ${links} out of the model: ${outside.slice(0, shown).join(', ')}${more}; ${are} followed`]
}
