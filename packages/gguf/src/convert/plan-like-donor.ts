import type { GgmlType } from '../ggml-types.ts'
import type { GgufArray, GgufMetadata, GgufValue } from '../metadata.ts'
import type { GgufContent, GgufModelPlan, GgufTensorPlan } from '../tensor-plan.ts'
import { ConversionError } from './errors.ts'
import { sizeLabel, storageMetadata } from './general-metadata.ts'
import type { NamedShape } from './map-tensors.ts'
import type { ConversionNotice } from './notices.ts'
import { leftOutNotices } from './plan-conversion.ts'
import { checkTokenCount } from './tokenizer/take-vocabulary.ts'

/** A tensor in the names of llama.cpp. */
export interface DonorTensor extends NamedShape {
  /** How the donor has it. */
  readonly type: GgmlType
  /** What it is made of; absent: the tensor of that name. */
  readonly content?: GgufContent
}

/** Where a layer comes from. */
export interface LayerOrigin {
  /** Of the model that it is a layer of. */
  readonly metadata: GgufMetadata
  readonly layer: number
}

/** A GGUF whose metadata and names another model is to take. */
export interface DonorRequest {
  readonly metadata: GgufMetadata
  /** In the order in which they shall lie in the file. */
  readonly tensors: readonly DonorTensor[]
  /** Tensors of the model that have no place in the file, each with the reason. */
  readonly leftOut?: ReadonlyMap<string, string>
  /** The origin of each layer, by its number; empty for models without layers. */
  readonly layers: readonly LayerOrigin[]
  /** What matrices are stored as, such as F16 or Q8_0. */
  readonly type: GgmlType
  /** `general.name`. */
  readonly name: string
}

/** Architectures of which llama.cpp computes some layers otherwise, by their numbers. */
const byNumber: readonly string[] = [
  'gemma2',
  'gemma3',
  'gemma3n',
  'cohere2',
  'gpt-oss',
  'llama4',
  'exaone4',
  'smollm3',
  'olmo2',
]

/** Types of numbers that are neither rounded nor put in blocks. */
const kept: readonly GgmlType[] = ['I8', 'I16', 'I32', 'I64', 'F64']

/**
 * Plans a GGUF that says of itself what another one of its architecture does, whatever that is: no map of a family is needed. What is
 * said of layers, one by one, follows where they come from.
 *
 * @throws ConversionError `gguf-donor` where the donor doesn't say what is needed; `gguf-vocabulary` where its tokens aren't those of the rows.
 */
export function planLikeDonor(request: DonorRequest): {
  readonly plan: GgufModelPlan
  readonly notices: readonly ConversionNotice[]
} {
  const { metadata, tensors, layers, type, name, leftOut = new Map<string, string>() } = request
  const architecture = metadata.get('general.architecture')
  if (architecture?.type !== 'string')
    throw new ConversionError({ code: 'gguf-donor', key: 'general.architecture', expected: 'a text' })
  const rows = tensors.find((tensor) => tensor.name === 'token_embd.weight')?.shape[0]
  if (rows !== undefined) checkTokenCount(metadata, rows)
  const areMoved = !isSame(layers, metadata, `${architecture.value}.block_count`)
  const said = new Map(
    [...metadata]
      // Of how the donor was quantized.
      .filter(([key]) => !key.startsWith('quantize.'))
      .map(([key, value]) => [key, areMoved ? moved(request, architecture.value, key, value) : value]),
  )
  said.set('general.name', { type: 'string', value: name })
  said.set('general.size_label', { type: 'string', value: sizeLabel(tensors) })
  said.delete('general.file_type')
  for (const [key, value] of storageMetadata(type)) said.set(key, value)
  const isQuantized = tensors.some((tensor) => tensor.shape.length > 1 && tensor.type !== 'F32')
  return {
    plan: {
      metadata: said,
      tensors: tensors.map((tensor) => planTensor(tensor, isQuantized)),
      leftOut,
    },
    notices: [
      ...leftOutNotices(leftOut),
      ...(areMoved && byNumber.includes(architecture.value)
        ? [{ code: 'gguf-layers-by-number', architecture: architecture.value } as const]
        : []),
    ],
  }
}

/** Tells whether the layers are all those of the donor, in their order. */
function isSame(layers: readonly LayerOrigin[], metadata: GgufMetadata, countKey: string): boolean {
  const count = metadata.get(countKey)
  if (layers.length === 0) return true
  if (count?.type !== 'uint32') throw new ConversionError({ code: 'gguf-donor', key: countKey, expected: 'a uint32' })
  return count.value === layers.length && layers.every(({ layer }, number) => layer === number)
}

/** What a key says where layers are others than the donor's. */
function moved({ metadata, layers }: DonorRequest, architecture: string, key: string, value: GgufValue): GgufValue {
  const countKey = `${architecture}.block_count`
  if (key === countKey) return { type: 'uint32', value: layers.length }
  const count = metadata.get(countKey)
  const isPerLayer =
    value.type === 'array' &&
    count?.type === 'uint32' &&
    value.values.length === count.value &&
    key.startsWith(`${architecture}.`) &&
    !key.startsWith(`${architecture}.rope.`)
  if (!isPerLayer) return value
  const values = layers.map((origin) => valueAt(origin, architecture, key))
  return { ...value, values } as GgufArray
}

/** Models of a merge may have one number for all layers where the donor has one for each. */
function valueAt({ metadata, layer }: LayerOrigin, architecture: string, key: string): unknown {
  const value = metadata.get(key)
  const found = value?.type === 'array' ? value.values[layer] : value?.value
  if (found === undefined)
    throw new ConversionError({
      code: 'gguf-donor',
      key,
      expected: `a value for layer ${layer} of each ${architecture}`,
    })
  return found
}

/** What the donor has in full among what it has not stays so: llama.cpp reads some tensors in no other way. */
function planTensor({ name, shape, type, content }: DonorTensor, isQuantized: boolean): GgufTensorPlan {
  const isKept = kept.includes(type) || (isQuantized && type === 'F32')
  return { name, shape, ...(isKept && { type }), content: content ?? { kind: 'rows', parts: [{ source: name }] } }
}
