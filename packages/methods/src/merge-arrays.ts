import { expectArgument, isRecord } from '@mk/errors'
import type { LinalgJob } from '@mk/linalg'
import { type Dtype, dtypeBytes, isDtype } from '@mk/safetensors'
import {
  type ArrayInput,
  type ArraySession,
  createArraySession,
  decode,
  type DenseMatrix,
  type Expression,
  input,
  type MatrixSide,
  type StreamedInput,
  type TakeBytes,
} from '@mk/tensor'
import { createReferenceRuntime, type Runtime } from '@mk/tensor/runtime'
import type { TensorInput } from './declare/tensor-input.ts'
import type { BuiltinMethodTypes } from './declare/builtin-method-types.ts'
import { notFinite } from './algebra/not-finite.ts'
import { sumEach } from './algebra/sum-each.ts'
import type { MethodContext, MethodDefinition, MethodInputs } from './declare/define-method.ts'
import type { ArrayParameters, BuiltinMethodName, TypesOfMethod } from './declare/method-types.ts'
import { MethodError } from './errors.ts'
import { createMethodContext } from './method-context.ts'
import { checkInputs } from './check/check-inputs.ts'
import { findMethod } from './check/find-method.ts'
import {
  checkParameterName,
  type GivenParameters,
  type MethodParameters,
  parseParameters,
} from './check/parse-parameters.ts'
import { findRule, normTerms, weightsByNorm } from './check/weight-rules.ts'
import { tensorParameters, withTensors } from './check/tensor-parameters.ts'

/** The tensors to merge in memory, and the parameters. */
export interface MergeArraysRequest<Parameters = Readonly<Record<string, unknown>>> {
  readonly models: readonly TensorInput[]
  readonly base?: TensorInput | undefined
  /** Of every tensor; absent: one dimension, as long as the first. */
  readonly shape?: readonly number[]
  /** By name. A per-model parameter is one value for all models, or an array with a value for each. */
  readonly parameters?: Parameters
  /** What the result is stored as; absent: float32, as a Float32Array. */
  readonly dtype?: Dtype
  /** For methods with random choices: other seeds and other names give other choices. */
  readonly seed?: number
  readonly tensorName?: string
  /** For methods that scale layers differently: 0 for the first, 1 for the last or the only one; absent: in no layer. */
  readonly layerDepth?: number
  /** For methods that go by the inputs of layers: 'rows' where the matrix is stored as inputs × outputs; absent: 'columns'. */
  readonly inputSide?: MatrixSide
  readonly warn?: (message: string) => void
  /** Ends the merge at the next chunk of a tensor. */
  readonly signal?: AbortSignal
}

/** A tensor to merge part by part: what it is made of may be read in parts, and the result is never held as a whole. */
export interface MergeStreamsRequest<
  Parameters = Readonly<Record<string, unknown>>,
> extends MergeArraysRequest<Parameters> {
  readonly shape: readonly number[]
  /** What is written; float32 if absent. */
  readonly dtype?: Dtype
  /** Takes the result. */
  readonly write: TakeBytes
}

/** The parameters of a built-in method, by its name, or of a method. */
export type ParametersOf<M extends BuiltinMethodName | MethodDefinition> = ArrayParameters<
  M extends BuiltinMethodName ? BuiltinMethodTypes[M] : M extends MethodDefinition ? TypesOfMethod<M> : never
>

/**
 * Merges tensors in memory, in the calling thread.
 * @param method the name of a built-in method, or a method: `findMethod` gives that of a name which the compiler doesn't know
 * @param runtime stays open; absent: the fastest for so many elements, WebAssembly but for a few, opened for this call
 * @returns the elements of the merged tensor: with a `dtype` their stored bytes, else a Float32Array
 * @throws MethodError for what the method can't take, before or while it runs; the signal's reason
 */
export async function mergeArrays<M extends BuiltinMethodName | MethodDefinition, D extends Dtype = never>(
  method: M,
  request: MergeArraysRequest<ParametersOf<NoInfer<M>>> & { readonly dtype?: D },
  runtime?: Runtime,
): Promise<[D] extends [never] ? Float32Array : ArrayInput>
export async function mergeArrays(
  method: BuiltinMethodName | MethodDefinition,
  request: MergeArraysRequest,
  runtime?: Runtime,
): Promise<ArrayInput | Float32Array> {
  return withMerged(method, request, runtime, async (session, merged) => {
    const { dtype } = request
    const bytes = await session.evaluate(merged, dtype ?? 'F32')
    return dtype === undefined
      ? new Float32Array(bytes.buffer, bytes.byteOffset, session.elementCount)
      : { dtype, bytes }
  })
}

/**
 * Merges one tensor of any size part by part, in the calling thread: each part of an input is read when it is needed, as often as the
 * method goes through the tensor, and each part of the result is written when it is there.
 * @param runtime as for `mergeArrays`
 * @throws as `mergeArrays`, and what `read` and `write` throw
 */
export async function mergeStreams<M extends BuiltinMethodName | MethodDefinition>(
  method: M,
  request: MergeStreamsRequest<ParametersOf<NoInfer<M>>>,
  runtime?: Runtime,
): Promise<void> {
  await withMerged(method, request as MergeStreamsRequest, runtime, (session, merged) =>
    session.evaluateInto(merged, request.dtype ?? 'F32', request.write),
  )
}

async function withMerged<T>(
  method: BuiltinMethodName | MethodDefinition,
  request: MergeArraysRequest,
  runtime: Runtime | undefined,
  use: (session: ArraySession, merged: Expression) => Promise<T>,
): Promise<T> {
  checkRequest(request)
  request.signal?.throwIfAborted()
  const definition: MethodDefinition = typeof method === 'string' ? findMethod(method) : method
  const base = definition.base === 'none' ? undefined : request.base
  checkInputs(definition, { hasBase: base !== undefined, modelCount: request.models.length })
  const given = takeTensors(definition, request)
  const parameters = parseParameters(definition, distribute(definition, { ...request, parameters: given.others }))

  const own = base ? [...request.models, base] : request.models
  const all = [...own, ...Object.values(given.tensors).flat()].map(asInput)
  const shape = request.shape ?? [all[0]!.elementCount ?? 0]
  const elementCount = shape.reduce((product, size) => product * size, 1)
  const ofMatrices = tensorParameters(definition, 'matrix')
  const isMatrix = (slot: number) => ofMatrices.includes(parameterOf(slot, own.length, request.models.length, given))
  const columns = shape.at(-1) ?? 1
  const inputs = request.inputSide === 'rows' ? elementCount / columns : columns
  for (const [i, tensor] of all.entries()) {
    const expected = isMatrix(i) ? inputs ** 2 : elementCount
    if (tensor.elementCount === undefined || tensor.elementCount === expected) continue
    const input = nameOfInput(i, own.length, request.models.length, given)
    throw new MethodError({ code: 'wrong-length', input, length: tensor.elementCount, expected })
  }

  const { signal, tensorName = 'tensor', seed = 0, layerDepth, inputSide } = request
  const { warn = (message) => console.warn(message) } = request
  const used = runtime ?? (await openRuntime(elementCount))
  try {
    // Matrices are no inputs of the session; they come last.
    const tensors = all.filter((_, slot) => !isMatrix(slot)).map(({ input }) => input)
    const session = createArraySession({ shape, inputs: tensors, runtime: used, ...(signal && { signal }) })
    const runLinalg = async (job: LinalgJob) => (await import('@mk/linalg')).carryOut(job, used)
    const readMatrix = async (slot: number) => toMatrix(all[slot]!.input, inputs)
    const context = createMethodContext(session, {
      tensorName,
      seed,
      warn,
      layerDepth,
      inputSide,
      runLinalg,
      readMatrix,
    })
    const models = request.models.map((_, slot) => input(slot))
    const named = Object.keys(given.tensors).map(
      (name, parameter) =>
        [name, models.map((_, model) => input(own.length + parameter * models.length + model))] as const,
    )
    const slots = { base: base && input(models.length), models }
    const weighed = await weigh(definition, parameters, slots, context)
    const merged = await definition.merge(slots, withTensors(weighed, Object.fromEntries(named)), context)
    return await use(session, merged)
  } finally {
    if (runtime === undefined) await used.close()
  }
}

/** Fewer are merged by the reference before WebAssembly has started; both give the same bytes. */
const worthStarting = 2 ** 12

async function openRuntime(elementCount: number): Promise<Runtime> {
  if (elementCount < worthStarting) return createReferenceRuntime()
  // Whoever brings a runtime, or never merges arrays, is spared loading this one.
  const { createWasmRuntime } = await import('@mk/runtime-wasm')
  return createWasmRuntime()
}

function checkRequest(request: unknown): void {
  const call = 'merging arrays'
  expectArgument(isRecord(request) && Array.isArray(request['models']), call, {
    argument: 'request',
    expected: 'an object with models, a list of tensors',
    found: request,
  })
  const { models, base } = request as { readonly models: readonly unknown[]; readonly base?: unknown }
  for (const [index, tensor] of [...models, ...(base === undefined ? [] : [base])].entries())
    expectArgument(isTensor(tensor), call, {
      argument: index < models.length ? `models[${index}]` : 'base',
      expected: 'a Float32Array, a Float64Array, { dtype, bytes } or { dtype, read }',
      found: tensor,
    })
}

const isTensor = (tensor: unknown): boolean =>
  tensor instanceof Float32Array ||
  tensor instanceof Float64Array ||
  (isRecord(tensor) &&
    isDtype(String(tensor['dtype'])) &&
    (typeof tensor['read'] === 'function' || tensor['bytes'] instanceof Uint8Array))

function distribute(method: MethodDefinition, request: MergeArraysRequest): GivenParameters {
  const given = Object.entries(request.parameters ?? {})
  for (const [parameter, value] of given) {
    checkParameterName(method, parameter)
    if (!(parameter in method.parameters.perModel) || !Array.isArray(value)) continue
    if (value.length === request.models.length) continue
    const expected = `one value, or a list of ${request.models.length}, one for each model`
    throw new MethodError({ code: 'invalid-parameter', method: method.name, parameter, value, expected })
  }
  return {
    perModel: request.models.map((_, i) =>
      Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value[i] : value])),
    ),
    methodWide: Object.fromEntries(given),
  }
}

/** Finds weights by norm, of the one tensor that there is. */
async function weigh(
  method: MethodDefinition,
  parameters: MethodParameters,
  slots: MethodInputs,
  context: MethodContext,
): Promise<MethodParameters> {
  const ruled = findRule(method, parameters, { hasBase: slots.base !== undefined, tensor: context.tensorName })
  if (ruled === undefined) return parameters
  const squares = await sumEach(normTerms(ruled.rule, slots), context)
  squares.forEach((square, model) => {
    if (!Number.isFinite(square)) throw notFinite(context, { model, lessBase: ruled.rule === 'metagpt' })
  })
  return { ...parameters, [ruled.parameter]: weightsByNorm(ruled.rule, squares, context.nameOf) }
}

/** The tensors among the parameters, one for each model, and a name in the place of each. */
interface GivenTensors {
  readonly tensors: Readonly<Record<string, readonly TensorInput[]>>
  readonly others: Readonly<Record<string, unknown>>
}

function takeTensors(method: MethodDefinition, { models, parameters = {} }: MergeArraysRequest): GivenTensors {
  const named = [...tensorParameters(method, 'elements'), ...tensorParameters(method, 'matrix')]
  const found = named.flatMap((parameter) => {
    const value = parameters[parameter]
    if (value === undefined) return []
    const each: readonly unknown[] = Array.isArray(value) ? value : models.map(() => value)
    if (each.length === models.length && each.every((one) => typeof one === 'object' && one !== null))
      return [[parameter, each as readonly TensorInput[]] as const]
    const expected = `a tensor for all models, or a list of ${models.length}, one for each model`
    throw new MethodError({ code: 'invalid-parameter', method: method.name, parameter, value, expected })
  })
  const names = found.map(([parameter]) => [parameter, parameter] as const)
  return { tensors: Object.fromEntries(found), others: { ...parameters, ...Object.fromEntries(names) } }
}

/** Names the parameter whose tensors are in a slot; none of the models'. */
const parameterOf = (slot: number, ownCount: number, modelCount: number, { tensors }: GivenTensors): string =>
  slot < ownCount ? '' : Object.keys(tensors)[Math.floor((slot - ownCount) / modelCount)]!

/** Decodes a square matrix. */
async function toMatrix(given: ArrayInput | StreamedInput, size: number): Promise<DenseMatrix> {
  let bytes: Uint8Array
  if ('read' in given) {
    bytes = new Uint8Array(size ** 2 * dtypeBytes(given.dtype))
    await given.read(0, bytes)
  } else ({ bytes } = given)
  if (given.dtype === 'F64') {
    const copy = bytes.slice()
    return { rows: size, columns: size, values: new Float64Array(copy.buffer) }
  }
  const values = new Float32Array(size ** 2)
  decode(given.dtype, bytes, 0, values)
  return { rows: size, columns: size, values: Float64Array.from(values) }
}

function nameOfInput(slot: number, ownCount: number, modelCount: number, given: GivenTensors): string {
  if (slot < modelCount) return `model ${slot + 1}`
  if (slot < ownCount) return 'the base'
  const name = parameterOf(slot, ownCount, modelCount, given)
  return `${name} of model ${((slot - ownCount) % modelCount) + 1}`
}

/** What is read part by part is as long as the shape says. */
function asInput(tensor: TensorInput): { readonly input: ArrayInput | StreamedInput; readonly elementCount?: number } {
  if ('read' in tensor) return { input: tensor }
  if ('dtype' in tensor) return { input: tensor, elementCount: tensor.bytes.byteLength / dtypeBytes(tensor.dtype) }
  const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength)
  const input = { dtype: tensor instanceof Float64Array ? 'F64' : 'F32', bytes } as const
  return { input, elementCount: tensor.length }
}
