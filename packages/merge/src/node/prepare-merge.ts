import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodePlaces } from '@mk/checkpoint'
import { expectArgument, isRecord } from '@mk/errors'
import type { MethodDefinition } from '@mk/methods'
import { downloadWeights } from '../prepare/download-weights.ts'
import { type PreparedMerge, prepareMergeAt, type PrepareOptions } from '../prepare/prepare-merge.ts'

/**
 * Reads a config, opens its models as far as their headers, and plans the merge. No weights are read or fetched.
 * `prepareMerge<typeof myMethod>` takes recipes by a method of one's own.
 * @throws CallError, ConfigError, CheckpointError, ArchitectureError, TokenizerError, MethodError, MergeError
 */
export const prepareMerge = async <Own extends MethodDefinition = never>(
  options: PrepareOptions<Own>,
): Promise<PreparedMerge> => {
  expectArgument(isRecord(options), 'prepareMerge', {
    argument: 'options',
    expected: 'an object with text or recipe',
    found: options,
  })
  return prepareMergeAt(
    {
      ...nodePlaces,
      current: process.cwd(),
      pathOfModule: (module, folder) => (module.startsWith('file:') ? fileURLToPath(module) : resolve(folder, module)),
      downloadWeights,
    },
    options,
  )
}
