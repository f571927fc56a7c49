export { mergekitTokensurgeon } from './mergekit-tokensurgeon.ts'
