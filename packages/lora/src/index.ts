export { planExtraction } from './plan/plan-extraction.ts'
export type {
  ChangedTensor,
  DecomposedModule,
  ExtractionPlan,
  ExtractionSettings,
  WholeModule,
} from './plan/extraction.ts'
export { extractLora } from './extract-lora.ts'
export type { ExtractionProgress, ExtractionResult, ExtractionRun } from './extract-lora.ts'
export { checkAdapterFolder } from './output/adapter-folder.ts'
export { LoraError } from './errors.ts'
export type { LoraIssue } from './errors.ts'
