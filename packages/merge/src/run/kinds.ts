import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { isSameShape } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { ElementRange } from '@mk/tensor/runtime'
import type { Operation, ParameterValue, PlannedTensor } from '../plan/merge-plan.ts'
import type { KernelWork, PassWork } from './task.ts'

/** The pass that writes a tensor, or a matrix of it. */
export interface LastPass {
  readonly work: PassWork
  readonly ranges: readonly ElementRange[]
  readonly recall?: KernelWork | undefined
}

/** What decides about the pass that writes a tensor where its method asks for nothing that depends on elements or on its name. */
export interface KindFacts {
  readonly method: MethodDefinition
  readonly tensor: Pick<PlannedTensor, 'operation' | 'dtype' | 'rows'>
  readonly shape: readonly number[]
  readonly sources: readonly Pick<TensorSource, 'dtype'>[]
}

/** Tensors that the same pass writes, each where it lies. */
export interface Kind extends KindFacts {
  readonly last: LastPass
}

/** The kinds of tensors that came up last: of a model's, nearly all are of a few. */
export interface Kinds {
  find(facts: KindFacts): Kind | undefined
  add(facts: KindFacts, last: LastPass): void
}

/** Kinds that are looked through for each tensor. */
const mostKinds = 32

/** Creates a list that is empty at first. */
export function createKinds(): Kinds {
  const known: Kind[] = []
  return {
    find(facts) {
      const index = known.findIndex((kind) => isAlike(kind, facts))
      const found = known[index]
      if (index > 0) known.unshift(...known.splice(index, 1))
      return found
    },
    add(facts, last) {
      known.unshift({ ...facts, last })
      if (known.length > mostKinds) known.pop()
    },
  }
}

/**
 * Tells whether tensors of a method and an operation may have their last pass in common, should nothing come up while it is prepared:
 * a method of the user's own may go by their names, and one that works on matrices does.
 */
export const mayShare = (method: MethodDefinition, operation: Operation): boolean =>
  operation.kind === 'copy' ||
  (operation.kind === 'merge' &&
    operation.tensors === undefined &&
    method.matrices === undefined &&
    builtinMethods.get(method.name) === method)

/** Tells whether nothing that decides about the last pass is different. */
export function isAlike(a: KindFacts, b: KindFacts): boolean {
  if (a.method !== b.method || a.tensor.dtype !== b.tensor.dtype || !isSameShape(a.shape, b.shape)) return false
  if (a.sources.length !== b.sources.length) return false
  for (let slot = 0; slot < a.sources.length; slot++)
    if (a.sources[slot]!.dtype !== b.sources[slot]!.dtype) return false
  const [rows, others] = [a.tensor.rows, b.tensor.rows]
  if (rows?.largest !== others?.largest || rows?.add !== others?.add) return false
  return isSameOperation(a.tensor.operation, b.tensor.operation)
}

function isSameOperation(a: Operation, b: Operation): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind !== 'merge' || b.kind !== 'merge') return a.kind === 'copy'
  return (
    (a.base === undefined) === (b.base === undefined) &&
    a.tensors === undefined &&
    b.tensors === undefined &&
    a.layerDepth === b.layerDepth &&
    isSameParameters(a.parameters, b.parameters)
  )
}

type Parameters = Readonly<Record<string, ParameterValue>>

function isSameParameters(a: Parameters, b: Parameters): boolean {
  if (a === b) return true
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => isSameValue(a[name], b[name]))
}

function isSameValue(a: ParameterValue | undefined, b: ParameterValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b)
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]))
}
