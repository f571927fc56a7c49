/**
 * Counts the matrices that a tensor is taken for by methods that work on whole ones: those of two dimensions are one, but for the stacked
 * biases of experts; those of three that hold the matrices of experts, [experts, rows, columns], are as many as there are experts. All
 * others (norms, biases, kernels of convolutions) are none.
 */
export function countMatrices(name: string, shape: readonly number[]): number {
  if (shape.length === 2) return name.endsWith('bias') ? 0 : 1
  return shape.length === 3 && packedExperts.test(name) ? shape[0]! : 0
}

/** As transformers 5 and granite have them. */
const packedExperts = /(?:^|[._])experts[._]|block_sparse_moe\.(?:input|output)_linear\.|\b(?:gate_up_proj|down_proj)$/
