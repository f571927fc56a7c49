export { defineMethod } from './declare/define-method.ts'
export type {
  MethodContext,
  ExampleParameters,
  MethodDefinition,
  MethodInputs,
  ParameterSchemas,
} from './declare/define-method.ts'
export { countMatrices } from './declare/count-matrices.ts'
export { builtinMethods } from './builtin-methods.ts'
export type { BuiltinMethodTypes } from './declare/builtin-method-types.ts'
export type { ArrayParameters, BuiltinMethodName, MethodTypes, TypesOfMethod } from './declare/method-types.ts'
export { mergeArrays, mergeStreams } from './merge-arrays.ts'
export type { MergeArraysRequest, MergeStreamsRequest, ParametersOf } from './merge-arrays.ts'
export type { ArrayTensor, TensorInput } from './declare/tensor-input.ts'
export { matricesOfFile, tensorsOfFile } from './declare/parameter-schemas.ts'
export { formatMethodsTable } from './declare/methods-table.ts'
export { describeMethods } from './declare/describe-methods.ts'
export type { MethodDescription, ParameterDescription } from './declare/describe-methods.ts'
export { findMethod } from './check/find-method.ts'
export { jsonSchemaOf } from './check/expectation.ts'
export { checkInputs } from './check/check-inputs.ts'
export {
  checkParameterName,
  checkParameterValue,
  doubtParameterValue,
  parameterNames,
  parseParameters,
  requiredParameters,
} from './check/parse-parameters.ts'
export type { FindPlace, GivenParameters, MethodParameters, ParameterDeclaration } from './check/parse-parameters.ts'
export { findRule, isWeightRule, normTerms, weightsByNorm } from './check/weight-rules.ts'
export type { RuledParameter, WeightRule } from './check/weight-rules.ts'
export { tensorParameters, withTensors } from './check/tensor-parameters.ts'
export type { Place } from './check/issues.ts'
export { createMethodContext } from './method-context.ts'
export type { MethodContextOptions } from './method-context.ts'
export { embeddingSlerp } from './embeddings/embedding-slerp.ts'
export type { PartialMatrix } from './embeddings/embedding-slerp.ts'
export { rowWeightedLinear } from './embeddings/row-weighted-linear.ts'
export { sumOfModels } from './sums/sum-of-models.ts'
export { MethodError } from './errors.ts'
export type { MethodIssue } from './errors.ts'

// The language that methods are written in, so that a method's module needs this one import.
export type { CrossProduct, DenseMatrix, Expression, Mask, MatrixSide, Operand, Reduction } from '@mk/tensor'
export {
  abs,
  add,
  and,
  before,
  perColumn,
  count,
  crossProduct,
  div,
  eq,
  exp,
  ge,
  gt,
  le,
  log,
  lt,
  maximum,
  max,
  minimum,
  min,
  mul,
  ne,
  neg,
  not,
  or,
  rank,
  perRow,
  select,
  sqrt,
  sub,
  sum,
  times,
} from '@mk/tensor'
// As a namespace, bundlers keep only what is used of it; with the `z` of zod, all of its languages.
export * as z from 'zod'
