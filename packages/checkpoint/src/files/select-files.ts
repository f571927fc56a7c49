import { fileRole, isNamedCode } from './file-roles.ts'

/** The files of a repository that a merge needs, by what is done with them. */
export interface FileSelection {
  /** Configs, tokenizer files, chat templates and indexes: needed at once. */
  readonly small: readonly string[]
  /** Files of tensors; where there is an index, it decides which. */
  readonly weights: readonly string[]
  /** The one among `small` that lists the shards. */
  readonly index: string | undefined
  readonly format: 'safetensors' | 'pickle' | undefined
}

/**
 * The model's card states its license. Of Python only what may be named in a config: repositories hold much other code. A model's own code is never run, but its
 * output needs it as the model did.
 */
function isSmall(name: string): boolean {
  const role = fileRole(name)
  return (
    /^((config|adapter_config)\.json|README\.md)$/.test(name) ||
    (role === 'code' ? isNamedCode(name) : role !== undefined)
  )
}

/** By preference: safetensors before pickles, an index before files, the usual name before any other. */
const models = [
  { format: 'safetensors', index: 'model.safetensors.index.json' },
  { format: 'safetensors', file: /^model\.safetensors$/ },
  { format: 'safetensors', file: /^(?!consolidated|adapter_model)[\w.-]+\.safetensors$/ },
  { format: 'safetensors', file: /^consolidated[\w.-]*\.safetensors$/ },
  { format: 'pickle', index: 'pytorch_model.bin.index.json' },
  { format: 'pickle', file: /^pytorch_model\.bin$/ },
  { format: 'pickle', file: /^pytorch_model-\d{5}-of-\d{5}\.bin$/ },
] as const

const adapters = [
  { format: 'safetensors', file: /^adapter_model\.safetensors$/ },
  { format: 'pickle', file: /^adapter_model\.bin$/ },
] as const

/**
 * Chooses the files of a repository that a merge needs.
 * @param names those at the top level
 * @param purpose an adapter is looked for by its own names
 */
export function selectFiles(names: readonly string[], purpose: 'model' | 'adapter'): FileSelection {
  const small = names.filter(isSmall)
  for (const candidate of purpose === 'adapter' ? adapters : models) {
    if ('index' in candidate) {
      if (names.includes(candidate.index))
        return { small: [...small, candidate.index], weights: [], index: candidate.index, format: candidate.format }
      continue
    }
    const weights = names.filter((name) => candidate.file.test(name))
    if (weights.length > 0) return { small, weights, index: undefined, format: candidate.format }
  }
  return { small, weights: [], index: undefined, format: undefined }
}
