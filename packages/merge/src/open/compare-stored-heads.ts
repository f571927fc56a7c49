import { embeddingNames, headNames, isTied } from '@mk/architecture'
import type { TensorSource } from '@mk/source'
import { createSourceReader } from '@mk/source/node'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { MergeInputs } from './merge-inputs.ts'

/** Results of comparing stored heads with embeddings, where the donor ties the two; positions of inputs. */
export interface StoredHeads {
  /** Those that carry a head that differs from their embedding. */
  readonly different: ReadonlySet<number>
  /** Those whose weights must be downloaded first. */
  readonly unknown: ReadonlySet<number>
}

/**
 * Compares the heads that inputs carry with their embeddings, if the donor ties the two: config.json does not say whether
 * the output can. Reads weights, but none that are yet to be downloaded.
 */
export function compareStoredHeads(inputs: MergeInputs): StoredHeads {
  const different = new Set<number>()
  const unknown = new Set<number>()
  const { checkpoints, layouts, donor } = inputs
  if (!isTied(checkpoints[donor]!.config, layouts[donor])) return { different, unknown }
  checkpoints.forEach(({ tensors, downloadBytes = 0 }, input) => {
    const head = tensors.get(headNames(layouts[input]!)[0] ?? '')
    const embedding = tensors.get(embeddingNames(layouts[input]!)[0] ?? '')
    if (head === undefined || embedding === undefined) return
    if (head.dtype !== embedding.dtype || head.shape.join() !== embedding.shape.join()) different.add(input)
    else if (downloadBytes > 0) unknown.add(input)
    else if (!haveSameBytes(head, embedding)) different.add(input)
  })
  return { different, unknown }
}

const stepElements = 2 ** 19

function haveSameBytes(a: TensorSource, b: TensorSource): boolean {
  const reader = createSourceReader()
  const count = elementCount(a.shape)
  const buffers = [a, b].map(({ dtype }) => Buffer.alloc(Math.min(stepElements, count) * dtypeBytes(dtype)))
  try {
    for (let start = 0; start < count; start += stepElements) {
      const elements = Math.min(stepElements, count - start)
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
