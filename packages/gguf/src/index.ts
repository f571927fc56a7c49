export { type DecodedGgmlType, decodedGgmlTypes, dequantize, isDecodedGgmlType } from './blocks/dequantize.ts'
export {
  type BlockEncoder,
  createBlockEncoder,
  type EncodedGgmlType,
  encodedGgmlTypes,
  isEncodedGgmlType,
  largestEncoded,
} from './blocks/quantize.ts'
export { GgufError, type GgufIssue } from './errors.ts'
export { ggmlBytes, type GgmlType, ggmlTypeOfId, ggmlTypes, isGgmlType } from './ggml-types.ts'
export { type GgufLayout, type GgufTensorType, layoutGguf } from './layout.ts'
export {
  type GgufArray,
  type GgufBigintType,
  type GgufMetadata,
  type GgufNumberType,
  type GgufValue,
  ggufValueTypes,
} from './metadata.ts'
export { type GgufHeader, type GgufTensor, parseGgufHeader } from './parse-header.ts'
export { storedGgmlType } from './stored-type.ts'
export type { GgufContent, GgufModelPlan, GgufPart, GgufTensorPlan } from './tensor-plan.ts'
export { type GgufFileHeader, readGgufHeaderOf } from './read-header.ts'
