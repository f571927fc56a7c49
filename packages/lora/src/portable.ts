// What of adapters needs no Node: the plan of one, and arithmetic on its factors.
export { adapterConfig, type AdapterFacts, nameInClass } from './output/adapter-config.ts'
export { factorNames } from './output/factor-names.ts'
export { isTransposedLayer, planExtraction } from './plan/plan-extraction.ts'
export type { DecomposedModule, ExtractionPlan, ExtractionSettings, WholeModule } from './plan/extraction.ts'
export { nameModules } from './plan/name-modules.ts'
export { createDifferences, type Differences } from './factors/difference.ts'
export { factorsOf, leadingVectors } from './factors/leading.ts'
export {
  type AlignedProducts,
  alignProducts,
  compressProduct,
  isFiniteProduct,
  joinProducts,
  type Product,
  squaredNorm,
  storeProduct,
} from './factors/product.ts'
export { LoraError } from './errors.ts'
