// What commands use of the packages that merge, loaded when there is something to merge. Each name stands here, so that a bundle has
// these and no more: an import() of a whole package would bring all of it, and with @mk/methods all of zod.
export { builtinMethods } from '@mk/methods'
export { loadMethodModule, loadMethodsOfModule } from '@mk/methods/node'
export {
  checkOutput,
  checkOutputPlace,
  describeNonFinite,
  keepStages,
  planCost,
  prepareFill,
  prepareMerge,
  runMerge,
} from '@mk/merge'
