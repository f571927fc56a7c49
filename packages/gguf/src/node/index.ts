export { readGgufHeader } from './read.ts'
export type { GgufFileHeader } from '../read-header.ts'
