import type { MergeConfig } from '@mk/config'
import { embeddingNames, headNames, isTied } from '@mk/architecture'
import { mergedSources, createReaderOver, type FileStore, type TensorSource } from '@mk/source'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { MergeInputs } from './merge-inputs.ts'

/** Results of comparing stored heads with embeddings, where the donor ties the two; positions of inputs. */
export interface StoredHeads {
  /** Those that carry a head that differs from their embedding. */
  readonly different: ReadonlySet<number>
  /** Those whose weights must be downloaded first. */
  readonly unknown: ReadonlySet<number>
  /** Pairs of inputs, as 'a b', of which one gives the embedding and the other what follows the last layers, with equal embeddings. */
  readonly sameEmbeddings?: ReadonlySet<string>
  /** True where some embeddings can be compared only when weights have been downloaded; until then they count as different. */
  readonly isPending?: true
}

/**
 * Compares the heads that inputs carry with their embeddings, if the donor ties the two: config.json does not say whether
 * the output can. Reads weights, but none that are yet to be downloaded.
 */
export function compareStoredHeads(inputs: MergeInputs, config?: MergeConfig): StoredHeads {
  const different = new Set<number>()
  const unknown = new Set<number>()
  const { store, checkpoints, layouts, donor } = inputs
  if (!isTied(checkpoints[donor]!.config, layouts[donor])) return { different, unknown }
  checkpoints.forEach(({ tensors }, input) => {
    const head = tensors.get(headNames(layouts[input]!)[0] ?? '')
    const embedding = tensors.get(embeddingNames(layouts[input]!)[0] ?? '')
    if (head === undefined || embedding === undefined) return
    if (head.dtype !== embedding.dtype || head.shape.join() !== embedding.shape.join()) different.add(input)
    else if (mergedSources([head, embedding]).length > 0) different.add(input)
    else if (isAwaited(inputs, input)) unknown.add(input)
    else if (!haveSameBytes(store, head, embedding)) different.add(input)
  })
  const { sameEmbeddings, isPending } = compareEmbeddings(inputs, config?.modules ?? [])
  return {
    different,
    unknown,
    ...(sameEmbeddings.size > 0 && { sameEmbeddings }),
    ...(isPending && { isPending: true }),
  }
}

/** Lists what `compareStoredHeads` may read: heads and embeddings. */
export const headSources = ({ checkpoints, layouts }: MergeInputs): readonly TensorSource[] =>
  checkpoints.flatMap(({ tensors }, input) =>
    [headNames(layouts[input]!)[0], embeddingNames(layouts[input]!)[0]].flatMap(
      (name) => tensors.get(name ?? '') ?? [],
    ),
  )

/** Compares the embeddings of the models of first and last slices, source by source, where these are others. */
function compareEmbeddings(inputs: MergeInputs, modules: MergeConfig['modules']) {
  const { store, checkpoints, layouts, indexOf } = inputs
  const sameEmbeddings = new Set<string>()
  let isPending = false
  for (const { slices } of modules) {
    const [first, last] = [slices[0], slices.at(-1)].map((slice) => slice?.sources.map(({ model }) => indexOf(model)))
    if (first === undefined || first.length !== last?.length) continue
    for (const pair of first.map((input, index) => [input, last[index]!] as const)) {
      const [a, b] = pair.map((input) => checkpoints[input]!.tensors.get(embeddingNames(layouts[input]!)[0] ?? ''))
      if (pair[0] === pair[1] || a === undefined || a.dtype !== b?.dtype || a.shape.join() !== b.shape.join()) continue
      if (mergedSources([a, b]).length > 0) continue
      if (pair.some((input) => isAwaited(inputs, input))) isPending = true
      else if (haveSameBytes(store, a, b)) sameEmbeddings.add(pair.join(' '))
    }
  }
  return { sameEmbeddings, isPending }
}

/** Tells whether weights of an input are yet to be downloaded, or of the models that it is a merge of. */
export function isAwaited({ checkpoints, stages }: MergeInputs, input: number): boolean {
  const merged = stages?.[input]?.inputs
  return (
    (checkpoints[input]!.downloadBytes ?? 0) > 0 ||
    (merged?.checkpoints.some((_, inner) => isAwaited(merged, inner)) ?? false)
  )
}

const stepElements = 2 ** 19

/** Compares the elements of two sources of one dtype and shape. */
export function haveSameBytes(store: FileStore, a: TensorSource, b: TensorSource): boolean {
  const reader = createReaderOver(store.openFiles())
  const count = elementCount(a.shape)
  const buffers = [a, b].map(({ dtype }) => new Uint8Array(Math.min(stepElements, count) * dtypeBytes(dtype)))
  try {
    for (let start = 0; start < count; start += stepElements) {
      const elements = Math.min(stepElements, count - start)
      const [left, right] = [a, b].map((source, index) => {
        const part = buffers[index]!.subarray(0, elements * dtypeBytes(source.dtype))
        reader.read(source, start, elements, part)
        return part
      })
      if (!isEqual(left!, right!)) return false
    }
    return true
  } finally {
    reader.close()
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  const [ofA, ofB] = [words(a), words(b)]
  for (let index = 0; index < ofA.length; index++) if (ofA[index] !== ofB[index]) return false
  for (let index = ofA.length * 4; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}
