import type { Dtype } from '@mk/safetensors'
import { lower, type LowerRequest } from '../program/lower.ts'
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

export type CaseCall = Omit<KernelCall, 'outputs'>

/** A call of a case whose slots, unless it says otherwise, hold what the expressions were built with. */
export type CallSketch = Pick<CaseCall, 'elementCount' | 'inputs'> & Partial<CaseCall>

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
