/**
 * How a tensor's elements are stored. Each block of `blockElements` consecutive elements of a row takes `blockBytes`; plain
 * numbers are blocks of one. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, and `ggml.h`.
 */
interface GgmlTypeFacts {
  /** Its number in a file. */
  readonly id: number
  readonly blockElements: number
  readonly blockBytes: number
}

const facts = {
  F32: { id: 0, blockElements: 1, blockBytes: 4 },
  F16: { id: 1, blockElements: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockElements: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockElements: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockElements: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockElements: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockElements: 32, blockBytes: 34 },
  Q8_1: { id: 9, blockElements: 32, blockBytes: 40 },
  Q2_K: { id: 10, blockElements: 256, blockBytes: 84 },
  Q3_K: { id: 11, blockElements: 256, blockBytes: 110 },
  Q4_K: { id: 12, blockElements: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockElements: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockElements: 256, blockBytes: 210 },
  Q8_K: { id: 15, blockElements: 256, blockBytes: 292 },
  IQ2_XXS: { id: 16, blockElements: 256, blockBytes: 66 },
  IQ2_XS: { id: 17, blockElements: 256, blockBytes: 74 },
  IQ3_XXS: { id: 18, blockElements: 256, blockBytes: 98 },
  IQ1_S: { id: 19, blockElements: 256, blockBytes: 50 },
  IQ4_NL: { id: 20, blockElements: 32, blockBytes: 18 },
  IQ3_S: { id: 21, blockElements: 256, blockBytes: 110 },
  IQ2_S: { id: 22, blockElements: 256, blockBytes: 82 },
  IQ4_XS: { id: 23, blockElements: 256, blockBytes: 136 },
  I8: { id: 24, blockElements: 1, blockBytes: 1 },
  I16: { id: 25, blockElements: 1, blockBytes: 2 },
  I32: { id: 26, blockElements: 1, blockBytes: 4 },
  I64: { id: 27, blockElements: 1, blockBytes: 8 },
  F64: { id: 28, blockElements: 1, blockBytes: 8 },
  IQ1_M: { id: 29, blockElements: 256, blockBytes: 56 },
  BF16: { id: 30, blockElements: 1, blockBytes: 2 },
  TQ1_0: { id: 34, blockElements: 256, blockBytes: 54 },
  TQ2_0: { id: 35, blockElements: 256, blockBytes: 66 },
  MXFP4: { id: 39, blockElements: 32, blockBytes: 17 },
  NVFP4: { id: 40, blockElements: 64, blockBytes: 36 },
  Q1_0: { id: 41, blockElements: 128, blockBytes: 18 },
} as const satisfies Record<string, GgmlTypeFacts>

/** A type of GGML's, in its own spelling. */
export type GgmlType = keyof typeof facts

/** All types that a header may name; which of them can be decoded is another matter. */
export const ggmlTypes: Readonly<Record<GgmlType, GgmlTypeFacts>> = facts

const byId = new Map(Object.entries(facts).map(([type, { id }]) => [id as number, type as GgmlType]))

/** Finds the type of a number in a file; undefined where there is none, or none any more. */
export const ggmlTypeOfId = (id: number): GgmlType | undefined => byId.get(id)

/** Tells whether a name is that of a type, in capitals. */
export const isGgmlType = (name: string): name is GgmlType => Object.hasOwn(facts, name)

/** Counts the bytes of a tensor; undefined where its rows are no whole blocks, or a count is past 2^53. */
export function ggmlBytes(type: GgmlType, shape: readonly number[]): number | undefined {
  const { blockElements, blockBytes } = facts[type]
  if ((shape.at(-1) ?? 1) % blockElements !== 0) return undefined
  const bytesOf = (sizes: readonly number[]) =>
    (sizes.reduce((count, size) => count * size, 1) / blockElements) * blockBytes
  // A dimension of 0 does not excuse the others.
  return Number.isSafeInteger(bytesOf(shape.map((size) => size || blockElements))) ? bytesOf(shape) : undefined
}
