import { embeddingNames, headNames, isTied } from '@mk/architecture'
import { createSourceReader, openCheckpoint, type OpenOptions, type TensorSource } from '@mk/checkpoint'
import { type ConfigPath, formatModelReference, type MergeConfig, type ModelReference, sameModel } from '@mk/config'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { describe, renameLike } from './align-inputs.ts'
import type { MergeInputs } from './plan/merge-inputs.ts'

/** @returns the distinct models that a config names, in the order of the YAML; a base that is in no list comes first. */
export function modelReferences({ modules, baseModel, tokenizer }: MergeConfig): ModelReference[] {
  const listed = modules.flatMap(({ slices }) => slices.flatMap((slice) => [...slice.sources.map(({ model }) => model), ...(slice.baseModel ? [slice.baseModel] : [])]))
  const base = baseModel === undefined || listed.some((model) => sameModel(model, baseModel)) ? [] : [baseModel]
  const ofTokenizer = tokenizer?.source.kind === 'model' ? [tokenizer.source.model] : []
  const ofTokens = tokenizer?.kind === 'complete' ? tokenizer.tokens.flatMap(({ source }) => (source !== undefined && source.kind !== 'zero' ? [source.model] : [])) : []
  const distinct: ModelReference[] = []
  for (const model of [...base, ...listed, ...ofTokenizer, ...ofTokens]) if (!distinct.some((known) => sameModel(known, model))) distinct.push(model)
  return distinct
}

/** Opens every model of a config: configs and headers are read, weights are not. */
export async function openInputs(config: MergeConfig, options: OpenOptions, locate: (path: ConfigPath) => string): Promise<MergeInputs> {
  const references = modelReferences(config)
  const described = (await Promise.all(references.map((reference) => openCheckpoint(reference, options)))).map(describe)
  const indexOf = (reference: ModelReference) => references.findIndex((known) => sameModel(known, reference))
  const donorReference = config.baseModel ?? config.modules[0]?.slices[0]?.sources[0]?.model
  const donor = donorReference === undefined ? 0 : indexOf(donorReference)
  const aligned = described.map((entry, index) => (index === donor ? entry : renameLike(described[donor]!, entry)))
  const checkpoints = aligned.map(({ checkpoint }) => checkpoint)
  const layouts = aligned.map(({ layout }) => layout)
  return { labels: references.map(formatModelReference), checkpoints, layouts, donor, indexOf, locate }
}

/** @returns the inputs whose config ties the head to the embedding while they carry a head with other values. */
export function findDifferentHeads({ checkpoints, layouts }: MergeInputs): ReadonlySet<number> {
  const different = new Set<number>()
  checkpoints.forEach((checkpoint, input) => {
    if (!isTied(checkpoint.config, layouts[input])) return
    const embedding = checkpoint.tensors.get(embeddingNames(layouts[input]!)[0] ?? '')
    for (const name of headNames(layouts[input]!)) {
      const head = checkpoint.tensors.get(name)
      if (head !== undefined && embedding !== undefined && !sameElements(head, embedding)) different.add(input)
    }
  })
  return different
}

function sameElements(a: TensorSource, b: TensorSource): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  const reader = createSourceReader()
  const step = 2 ** 19
  const buffers = [Buffer.alloc(step * dtypeBytes(a.dtype)), Buffer.alloc(step * dtypeBytes(a.dtype))] as const
  try {
    const count = elementCount(a.shape)
    for (let start = 0; start < count; start += step) {
      const elements = Math.min(step, count - start)
      const [left, right] = [a, b].map((source, index) => {
        const part = buffers[index]!.subarray(0, elements * dtypeBytes(source.dtype))
        reader.read(source, start, elements, part)
        return part
      })
      if (!left!.equals(right!)) return false
    }
    return true
  } finally {
    reader.close()
  }
}
