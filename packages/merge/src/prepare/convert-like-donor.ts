import type { GgufFacts } from '@mk/checkpoint'
import type { MergeConfig, OutDtypeName } from '@mk/config'
import type { GgmlType } from '@mk/gguf'
import { type DonorTensor, explainConversionNotice, type LayerOrigin, planLikeDonor } from '@mk/gguf/convert'
import { elementCount } from '@mk/safetensors'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { type MergePlan, operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { commonestDtype } from '../plan/plan-documents.ts'
import { planGguf } from '../plan/plan-gguf.ts'
import { ggmlTypeOf } from './ggml-type-of.ts'
import type { LearnedTensors } from './learn-from-donor.ts'
import { ggufType } from './output-kind.ts'
import { withChatTemplate } from './with-chat-template.ts'

interface LikeFacts {
  readonly config: MergeConfig
  readonly name: string
  readonly inputs: MergeInputs
  /** What becomes of tensors that have other names than in a GGUF. */
  readonly learned?: LearnedTensors
}

/**
 * Turns a plan whose tensors have the names of llama.cpp, or which were learned, into that of a GGUF, which says of itself what a donor does.
 * @throws ConversionError 'gguf-donor'
 */
export function convertLikeDonor(
  plan: MergePlan,
  donor: GgufFacts,
  { config, name, inputs, learned }: LikeFacts,
): MergePlan {
  const tensors =
    learned?.tensors ??
    plan.tensors.map((tensor): DonorTensor => {
      const found = operationInputs(tensor.operation)
      const { source } = found.find(({ input }) => input === inputs.donor) ?? found[0]!
      return { name: tensor.name, shape: tensor.shape, type: ggmlTypeOf(source) }
    })
  const type = ggufType(config, learned === undefined ? commonestType(tensors) : commonestDtype(plan.tensors))
  const like = planLikeDonor({
    metadata: withChatTemplate(donor.metadata, config, plan),
    tensors,
    layers: layersOf(plan.tensors, (input) => inputs.checkpoints[input]!.gguf ?? donor),
    type,
    name,
    ...(learned && { leftOut: learned.leftOut }),
  })
  const notes = like.notices.map(explainConversionNotice)
  return { ...planGguf(plan, like.plan, type), notes: [...plan.notes, ...notes] }
}

const ownTypes: Readonly<Partial<Record<GgmlType, OutDtypeName>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  Q8_0: 'q8_0',
  Q4_0: 'q4_0',
}

/** Of what can't be written, the eight bits lose least. */
function commonestType(
  tensors: readonly { readonly shape: readonly number[]; readonly type: GgmlType }[],
): OutDtypeName {
  const counts = new Map<OutDtypeName, number>()
  for (const { type, shape } of tensors) {
    const name = ownTypes[type] ?? 'q8_0'
    counts.set(name, (counts.get(name) ?? 0) + elementCount(shape))
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'float16'
}

/** Of llama.cpp, and of transformers. */
const layerName = /(?:^|\.)(\d+)\./

/** Where each layer comes from, as its first tensor tells. */
function layersOf(tensors: readonly PlannedTensor[], factsOf: (input: number) => GgufFacts): readonly LayerOrigin[] {
  const layers = new Map<number, LayerOrigin>()
  for (const { name, operation } of tensors) {
    const { input, name: source } = operationInputs(operation)[0]!
    const [to, from] = [name, source].map((text) => layerName.exec(text)?.[1])
    if (to === undefined || from === undefined || layers.has(Number(to))) continue
    layers.set(Number(to), { metadata: factsOf(input).metadata, layer: Number(from) })
  }
  return Array.from({ length: layers.size }, (_, layer) => layers.get(layer)).filter((layer) => layer !== undefined)
}
