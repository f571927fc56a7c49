export { type GgufFileHeader, readGgufHeader } from './read.ts'
