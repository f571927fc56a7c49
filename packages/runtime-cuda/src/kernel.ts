import { type Kernel, hasRows, needsWholeRows, type Program } from '@mk/tensor/runtime'
import { createFeeds } from './call/feeds.ts'
import { createSinks } from './call/results.ts'
import type { Scratch } from './call/scratch.ts'
import { type Cutting, cutCall } from './call/segments.ts'
import type { BuiltGraph } from './graph/build-graph.ts'
import type { OnnxRuntime, OnnxSession } from './onnx-runtime.ts'

/** A float32 counts the elements of a segment. */
const LONGEST_SEGMENT = 2 ** 24

export interface KernelParts {
  readonly program: Program
  readonly graph: BuiltGraph
  readonly openSession: () => Promise<OnnxSession>
  readonly library: OnnxRuntime
  readonly scratch: Scratch
  readonly memoryBytes: number
}

/** Makes a kernel of a session. Its calls must follow one another, since they share `scratch`. */
export function createKernel({ program, graph, openSession, library, scratch, memoryBytes }: KernelParts): Kernel {
  const feedsOf = createFeeds(program, graph.scalars, library, scratch)
  const cutting: Cutting = {
    hasRows: hasRows(program),
    wholeRows: needsWholeRows(program),
    most: Math.min(LONGEST_SEGMENT, Math.max(4, Math.floor(memoryBytes / Math.max(1, graph.bytesPerElement)))),
  }
  return {
    async run(call) {
      const session = await openSession()
      const sinks = createSinks(program, { call, library, scratch })
      for (const segment of cutCall(call, cutting)) {
        const fetches = Object.assign({}, ...sinks.map((sink) => sink.fetches(segment))) as Parameters<
          OnnxSession['run']
        >[1]
        const outputs = await session.run(feedsOf(call, segment), fetches)
        for (const sink of sinks) sink.add(segment, outputs)
      }
      return sinks.flatMap((sink) => sink.finish() ?? [])
    },
  }
}
