import { checkCall } from '../runtime/check-call.ts'
import { checkProgram } from '../program/check-program.ts'
import { needsWholeRows } from '../program/requirements.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type Block, evaluate } from './evaluate.ts'
import { createSink } from './outputs.ts'

/** Elements that are evaluated together, so that memory doesn't grow with the call; with `rank` at least a row. */
const BLOCK_ELEMENTS = 4096

/** Programs in plain TypeScript: the definition of every operation, checked as strictly as can be. */
export function createReferenceRuntime(): Runtime {
  return {
    name: 'reference',
    allocate: (byteLength) => new Uint8Array(byteLength),
    compile: async (program) => {
      const kinds = checkProgram(program)
      const wholeRows = needsWholeRows(program)
      return {
        run(call) {
          checkCall(program, call)
          const { columns, elementCount, offset } = call
          const step = wholeRows ? Math.max(1, Math.floor(BLOCK_ELEMENTS / columns)) * columns : BLOCK_ELEMENTS
          const size = Math.min(step, elementCount)
          const registers = kinds.map((kind) => (kind === 'mask' ? new Uint8Array(size) : new Float32Array(size)))
          let stores = 0
          const sinks = program.outputs.map((output) =>
            createSink(output, call, output.kind === 'store' ? stores++ : -1),
          )
          for (let start = 0; start < elementCount; start += step) {
            const block: Block = { call, start, count: Math.min(step, elementCount - start), offset: offset + start }
            evaluate(program, registers, block)
            for (const sink of sinks) sink.add(registers, block)
          }
          return sinks.map((sink) => sink.finish()).filter((result) => result !== undefined)
        },
      }
    },
    close: async () => {},
  }
}
