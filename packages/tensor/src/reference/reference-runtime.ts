import { kindOf } from '../program/instructions.ts'
import type { Program } from '../program/program.ts'
import { needsWholeRows } from '../program/requirements.ts'
import { createRuntimeShell } from '../runtime/create-runtime-shell.ts'
import type { KernelCall, KernelResult, Runtime } from '../runtime/runtime.ts'
import { type Block, evaluate } from './evaluate.ts'
import { multiply } from './multiply.ts'
import { createSink } from './outputs.ts'

/** Elements that are evaluated together, so that memory doesn't grow with the call; with `rank` at least a row. */
const BLOCK_ELEMENTS = 4096

/** Makes a runtime that runs programs in plain TypeScript: the definition of every operation. */
export function createReferenceRuntime(): Runtime {
  return createRuntimeShell({
    name: 'reference',
    isSynchronous: true,
    compile: async (program) => ({ run: (call) => runProgram(program, call) }),
    compileProduct: async (product) => ({ run: (call) => multiply(product, call) }),
  })
}

function runProgram(program: Program, call: KernelCall): KernelResult {
  const { columns, elementCount, offset } = call
  const step = needsWholeRows(program) ? Math.max(1, Math.floor(BLOCK_ELEMENTS / columns)) * columns : BLOCK_ELEMENTS
  const size = Math.min(step, elementCount)
  const registers = program.instructions.map((instruction) =>
    kindOf(instruction) === 'mask' ? new Uint8Array(size) : new Float32Array(size),
  )
  let stores = 0
  const sinks = program.outputs.map((output) => createSink(output, call, output.kind === 'store' ? stores++ : -1))
  for (let start = 0; start < elementCount; start += step) {
    const block: Block = { call, start, count: Math.min(step, elementCount - start), offset: offset + start }
    evaluate(program, registers, block)
    for (const sink of sinks) sink.add(registers, block)
  }
  return sinks.map((sink) => sink.finish()).filter((result) => result !== undefined)
}
