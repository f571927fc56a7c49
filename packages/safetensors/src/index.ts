export { type Dtype, dtypeBytes, dtypes, elementCount, isDtype, isSameShape } from './dtype.ts'
export { SafetensorsError, type SafetensorsIssue } from './errors.ts'
export {
  maxHeaderJsonBytes,
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
  type TensorEntry,
} from './header.ts'
export { formatIndex, parseIndex, type ShardIndex } from './index-json.ts'
export { findJsonExcess, type JsonLimits } from './json-limits.ts'
export { type FileLayout, layoutFile, type TensorType } from './layout.ts'
export { type RangeFile, readFully, readHeader, type SafetensorsFileHeader } from './read-header.ts'
