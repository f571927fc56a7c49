import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { fileRole } from '../files/file-roles.ts'
import { readText } from '../files/read-file.ts'
import { withShards } from './find-at-hub.ts'
import { sizeOf } from './size-of.ts'
import type { CachedModel } from './hub-cache.ts'
import { folderOf, selectHubFiles, type WantedFiles } from './select-hub-files.ts'

/**
 * 'whole': nothing is missing that a merge could need. 'usable': the weights are there, but perhaps no tokenizer, or they
 * have names from which one can't tell whether they are all; `doubt` says which.
 */
export async function inspectSnapshot(cached: CachedModel, commit: string, wanted: WantedFiles) {
  const { purpose } = wanted
  const names = await cached.listSnapshot(commit, folderOf(wanted))
  const selection = selectHubFiles(names, wanted)
  const files = await withShards(nodeFiles, selection, cached.snapshotFolder(commit))
  if (selection.format === 'gguf') {
    const isThere = selection.weights.every((name) => names.includes(name))
    // Which others the repository has, the cache can't tell.
    const state = !isThere ? 'partial' : wanted.gguf === undefined ? 'usable' : 'whole'
    return { state, files, gguf: selection.ggufs[0] } as const
  }
  const hasConfig = names.includes(purpose === 'adapter' ? 'adapter_config.json' : 'config.json')
  if (selection.format === undefined || !hasConfig || !files.every((name) => names.includes(name)))
    return { state: 'partial', files, gguf: undefined } as const
  const isCertain =
    selection.index !== undefined ||
    /^(model\.safetensors|pytorch_model\.bin|adapter_model\.\w+)$/.test(selection.weights.join())
  const hasTokenizer = purpose === 'adapter' || names.some((name) => fileRole(name) === 'vocabulary')
  const isWhole = await hasModules(cached.snapshotFolder(commit), names)
  if (isCertain && hasTokenizer && isWhole) return { state: 'whole', files, gguf: undefined } as const
  const doubts = [
    ...(hasTokenizer ? [] : ['there is no tokenizer with it, so that none of it can be in the output']),
    ...(isWhole ? [] : ['folders of its modules are missing']),
    ...(isCertain ? [] : ['whether its weights are all there can not be told from their names']),
  ]
  return { state: 'usable', files, gguf: undefined, doubt: doubts.join('; ') } as const
}

/** Finds out whether the modules that sentence-transformers' list names are there, which are folders. */
async function hasModules(folder: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes('modules.json')) return true
  const text = (await readText(nodeFiles, join(folder, 'modules.json'))) ?? ''
  const paths = [...text.matchAll(/"path"\s*:\s*"(\d+_[A-Z]\w*)"/g)].map(([, path]) => path!)
  const found = await Promise.all(paths.map((path) => sizeOf(join(folder, path))))
  return found.every((size) => size !== undefined)
}
