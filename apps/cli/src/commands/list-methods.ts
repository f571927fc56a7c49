// What lists of methods and of values are made of, loaded when one is asked for; each name, as in merging.ts.
export { outDtypeNames } from '@mk/config'
export { builtinMethods, describeMethods, findMethod } from '@mk/methods'
export { loadMethods } from './load-methods.ts'
