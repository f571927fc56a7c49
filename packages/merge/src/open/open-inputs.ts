import { openCheckpoint, type OpenOptions } from '@mk/checkpoint'
import { type ConfigPath, formatModelReference, type MergeConfig, type ModelReference, sameModel } from '@mk/config'
import { describeInput, renameLike } from './describe-input.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { restoreGgufs } from './restore-ggufs.ts'
import { unpackExperts } from './unpack-experts.ts'

/** Lists the distinct models that a config names, in the order of the YAML; a base that is in no list comes first. */
function modelReferences({ modules, baseModel, tokenizer }: MergeConfig): ModelReference[] {
  const listed = modules.flatMap(({ slices }) =>
    slices.flatMap((slice) => [
      ...slice.sources.map(({ model }) => model),
      ...(slice.baseModel ? [slice.baseModel] : []),
    ]),
  )
  const base = baseModel === undefined || listed.some((model) => sameModel(model, baseModel)) ? [] : [baseModel]
  const ofTokenizer = tokenizer?.source.kind === 'model' ? [tokenizer.source.model] : []
  const ofTokens =
    tokenizer?.kind === 'complete-rows'
      ? tokenizer.tokens.flatMap(({ source }) => (source !== undefined && source.kind !== 'zero' ? [source.model] : []))
      : []
  const distinct: ModelReference[] = []
  for (const model of [...base, ...listed, ...ofTokenizer, ...ofTokens])
    if (!distinct.some((known) => sameModel(known, model))) distinct.push(model)
  return distinct
}

/** Opens every model of a config: configs and headers are read, weights are not. @throws CheckpointError, ArchitectureError */
export async function openInputs(
  config: MergeConfig,
  options: OpenOptions,
  locate: (path: ConfigPath) => string,
): Promise<MergeInputs> {
  const references = modelReferences(config)
  const opened = await Promise.all(references.map((reference) => openCheckpoint(reference, options)))
  const described = unpackExperts(restoreGgufs(opened)).map(describeInput)
  const indexOf = (reference: ModelReference) => references.findIndex((known) => sameModel(known, reference))
  const donorReference = config.baseModel ?? config.modules[0]?.slices[0]?.sources[0]?.model
  const named = donorReference === undefined ? 0 : indexOf(donorReference)
  // A GGUF among other models has no config.json and no tokenizer's files to give.
  const donor =
    opened[named]?.gguf === undefined
      ? named
      : Math.max(
          named,
          opened.findIndex(({ config }) => config !== undefined),
        )
  const aligned = described.map((entry, index) => (index === donor ? entry : renameLike(described[donor]!, entry)))
  const checkpoints = aligned.map(({ checkpoint }) => checkpoint)
  const layouts = aligned.map(({ layout }) => layout)
  return { labels: references.map(formatModelReference), checkpoints, layouts, donor, indexOf, locate }
}
