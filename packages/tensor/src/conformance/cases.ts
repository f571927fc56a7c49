import type { ConformanceCase } from './case.ts'
import { dtypeCases, operationCases } from './operation-cases.ts'
import { positionCases } from './position-cases.ts'
import { randomPrograms } from './random-programs.ts'
import { reductionCases } from './reduction-cases.ts'

/** Everything that a runtime must do as the reference runtime does it. */
export const conformanceCases = (): ConformanceCase[] => [
  ...operationCases(),
  ...dtypeCases(),
  ...positionCases(),
  ...reductionCases(),
  ...randomPrograms(200),
]
