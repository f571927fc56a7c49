export { mergekitMoe } from './mergekit-moe.ts'
