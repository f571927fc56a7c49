import type { TensorStreams } from '@mk/merge'

/** Counts how often tensors are read from end to end for sums over them. */
export function countPasses(streams: TensorStreams): TensorStreams & { readonly passCount: () => number } {
  let count = 0
  return {
    ...streams,
    passCount: () => count,
    read: (request, ask) =>
      streams.read(request, (tensors) =>
        ask({
          ...tensors,
          reduce(...given) {
            count++
            return tensors.reduce(...given)
          },
        }),
      ),
  }
}
