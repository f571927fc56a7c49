import type { ConformanceCase } from './case.ts'
import { dtypeCases, operationCases } from './operation-cases.ts'
import { positionCases } from './position-cases.ts'
import { randomCases } from './random-programs.ts'
import { reductionCases } from './reduction-cases.ts'

/** Lists everything that a runtime must do as the reference runtime does it. */
export const conformanceCases = (): ConformanceCase[] => [
  ...operationCases(),
  ...dtypeCases(),
  ...positionCases(),
  ...reductionCases(),
  ...randomCases(),
]
