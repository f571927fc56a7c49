import type { Dtype } from '@mk/safetensors'
import { programKey } from '../program/format-program.ts'
import { lower } from '../program/lower.ts'
import type { LowerRequest } from '../program/lower-request.ts'
import type { Program } from '../program/program.ts'
import type { KernelCall } from '../runtime/runtime.ts'

/** Some calls of one kernel, in order, whose results must be those of the reference runtime. */
export interface ConformanceCase {
  /** Unique; starts with the group, as in 'rank: rows of 7'. */
  readonly name: string
  readonly group: string
  readonly program: Program
  /** Built when the case runs. */
  readonly calls: () => readonly CaseCall[]
}

/** A kernel's call without its output buffers, which the suite makes. */
export type CaseCall = Omit<KernelCall, 'outputs'>

/** A call of a case whose slots, unless it says otherwise, hold what the expressions were built with. */
export type CallSketch = Pick<CaseCall, 'elementCount' | 'inputs'> & Partial<CaseCall>

/** Gives a short name to a program's content (FNV-1a of its key). */
export function hashOf(program: Program): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(programKey(program))) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** Makes a case of what expressions ask for. */
export function caseOf(
  group: string,
  name: string,
  inputDtypes: readonly Dtype[],
  request: LowerRequest,
  calls: () => readonly CallSketch[],
): ConformanceCase {
  const { program, scalars, vectors } = lower(request, inputDtypes)
  return {
    name: `${group}: ${name}`,
    group,
    program,
    calls: () =>
      calls().map((call) => ({ offset: 0, columns: Math.max(1, call.elementCount), scalars, vectors, ...call })),
  }
}
