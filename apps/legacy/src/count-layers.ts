import { describeCheckpoint } from '@mk/architecture'
import { openCheckpoint } from '@mk/checkpoint'
import type { ModelArgument } from '@mk/cli'
import { parseModelReference } from '@mk/config'
import { LegacyError } from './errors.ts'
import { nameOf, type ShuffledModel } from './shuffle-layers.ts'

interface HubFlags {
  readonly transformersCache?: string
  readonly refresh?: boolean
}

/**
 * Opens models as far as their headers, and counts their layers.
 * @throws CheckpointError; ConfigError for a model reference that is none; LegacyError 'shuffle-stacks'
 */
export async function countLayers(
  models: readonly ModelArgument[],
  { transformersCache, refresh = false }: HubFlags,
): Promise<readonly ShuffledModel[]> {
  const hub = { refresh, ...(transformersCache !== undefined && { transformersCache }) }
  return Promise.all(
    models.map(async (model) => {
      const { tensors, config } = await openCheckpoint(parseModelReference(model), { roots: [process.cwd()], hub })
      const facts = [...tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }))
      const stacks = describeCheckpoint(facts, config).modules.filter(({ layerCount }) => layerCount > 0)
      if (stacks.length !== 1)
        throw new LegacyError({ code: 'shuffle-stacks', model: nameOf(model), found: stacks.length })
      return { model, layerCount: stacks[0]!.layerCount }
    }),
  )
}
