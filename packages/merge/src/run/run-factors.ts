import { createMatrix, type Matrix } from '@mk/linalg'
import type { Product } from '@mk/lora/portable'
import { createMethodContext, type MethodParameters } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { withUnroundedRows } from '@mk/source'
import { createArraySession, input } from '@mk/tensor'
import type { KernelResult, Runtime } from '@mk/tensor/runtime'
import type { FactorChange, ParameterValue, PlannedTensor } from '../plan/merge-plan.ts'
import { linalgOn } from './matrix-tasks.ts'
import { openRuntime } from './open-runtime.ts'
import type { NonFiniteCounts } from './non-finite.ts'
import { asMethod } from './own-method.ts'
import { planChange } from './plan-change.ts'
import type { TensorRun } from './run-tensor.ts'
import {
  differenceCacheBytes,
  type FactorTask,
  type FactorWork,
  type PassOutput,
  type PassWork,
  type TensorPass,
  wasmRuntime,
} from './task.ts'

type Factors = Extract<PlannedTensor['operation'], { readonly kind: 'factors' }>
type Aligned = Extract<FactorChange, { readonly kind: 'knots' | 'paired-factors' }>

/** Carries out the modules of an adapter. */
export interface FactorRunner {
  /**
   * Computes and writes both factors of what a merge changes in a module.
   * @returns what of A and of B is infinite, where anything is: inputs that are not finite have no factors
   */
  run(factors: FactorsRun): Promise<NonFiniteFactors>
  close(): Promise<void>
}

/** What of the two factors is infinite. */
export interface NonFiniteFactors {
  readonly own: NonFiniteCounts | undefined
  readonly other: NonFiniteCounts | undefined
}

/** Does work in the calling thread, which has the methods, one piece after the other. */
type Turns = <T>(work: (runtime: Runtime) => Promise<T>) => Promise<T>

/** Creates what carries out modules; nothing is opened before it is used. */
export function createFactorRunner(): FactorRunner {
  let opening: Promise<Runtime> | undefined
  let previous: Promise<unknown> = Promise.resolve()
  const inTurn: Turns = (work) => {
    const result = previous.then(async () => work(await (opening ??= openRuntime(wasmRuntime))))
    previous = result.catch(() => {})
    return result
  }
  return {
    run: (factors) => runFactors(factors, inTurn),
    async close() {
      await previous
      await (await opening)?.close()
    },
  }
}

/** A module of an adapter: its factor A, whose operation gives both, and B. */
export interface FactorsRun extends TensorRun {
  readonly operation: Factors
  readonly other: PlannedTensor
}

async function runFactors(run: FactorsRun, inTurn: Turns): Promise<NonFiniteFactors> {
  const { tensor, index, operation, other, pool, file, seed } = run
  const { change } = operation
  const rank = tensor.shape[0]!
  let overflow: ArrayLike<number> = []
  if (elementCount(tensor.shape) > 0 || elementCount(other.shape) > 0) {
    const sources = operation.inputs.map(({ source }) => withUnroundedRows(source))
    const merged = await run.stages?.worksFor(sources)
    const outputOf = ({ dtype, byteStart }: PlannedTensor): PassOutput => ({ file, dtype, byteStart })
    const passOf = (work: PassWork, output?: PassOutput): TensorPass => ({
      tensor: index,
      sources,
      ...(merged && merged.length > 0 && { merged }),
      work,
      output,
      keep: output === undefined && work.kind !== 'factors',
    })
    const runTask = async (task: FactorTask, stores: boolean): Promise<KernelResult> => {
      const work: FactorWork = {
        kind: 'factors',
        tensor: operation.inputs[0]!.name,
        task,
        ...(stores && { store: { rank, other: outputOf(other) } }),
      }
      const pass = passOf(work, stores ? outputOf(tensor) : undefined)
      const { results } = await pool.run({ pass, ranges: [{ start: 0, end: 1 }], groups: [0] }, undefined)
      const { result } = results[0]!
      if (stores) overflow = result[0]!
      return result
    }
    try {
      switch (change.kind) {
        case 'products':
          await runTask({ kind: 'products', scales: change.products.map(({ scale }) => scale) }, true)
          break
        case 'difference': {
          const { transposed } = change
          const cacheBytes = Math.floor(differenceCacheBytes / pool.size)
          await runTask({ kind: 'difference', transposed, seed, cacheBytes }, true)
          break
        }
        case 'task-vectors':
          await runTask(await planChange(run, { change, inputs: operation.inputs }, passOf), true)
          break
        case 'knots':
        case 'paired-factors':
          await runTask(
            { kind: 'given', product: await mergeProducts({ ...run, inTurn }, change, (task) => runTask(task, false)) },
            true,
          )
          break
        default:
          change satisfies never
      }
    } finally {
      pool.forget(index)
    }
  }
  run.onWritten(elementCount(tensor.shape) + elementCount(other.shape))
  const [ofA = 0, ofB = 0] = Array.from(overflow)
  return { own: overflowOf(ofA, operation.inputs.length), other: overflowOf(ofB, 0) }
}

const overflowOf = (count: number, inputs: number): NonFiniteCounts | undefined =>
  count === 0 ? undefined : { results: count, overflow: count, inputs: Array.from({ length: inputs }, () => 0) }

type MethodRun = FactorsRun & { readonly inTurn: Turns }

/** Has the method merge what adapters are in the basis that they share, or their factors as they are. */
async function mergeProducts(
  run: MethodRun,
  change: Aligned,
  prepare: (task: FactorTask) => Promise<KernelResult>,
): Promise<Product> {
  const { products, modelInputs, parameters, layerDepth } = change
  if (change.kind === 'knots') {
    const [basis, ...parts] = matricesOf(await prepare({ kind: 'align', products, modelCount: modelInputs.length }))
    const names = modelInputs.map((model) => run.labels[model]!)
    if (basis!.columns === 0) return { b: basis!, a: createMatrix(0, run.tensor.shape[1]!) }
    return { b: basis!, a: await mergeMatrices(run, parts, { names, parameters, layerDepth }) }
  }
  const factors = matricesOf(await prepare({ kind: 'balance', scales: products.map(({ scale }) => scale) }))
  // Models without factors here have no part in it.
  const models = products.map(({ model }) => model)
  const names = models.map((model) => run.labels[modelInputs[model]!]!)
  const ofSide = (side: number) => {
    const own = factors.filter((_, i) => i % 2 === side)
    return mergeMatrices(run, own, { names, layerDepth, parameters: rooted(parameters, models, side === 0) })
  }
  return { a: await ofSide(0), b: await ofSide(1) }
}

interface MatrixMerge {
  readonly names: readonly string[]
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly layerDepth: number | undefined
}

/** Merges matrices as task vectors, the base being zero. */
async function mergeMatrices(
  { method, seed, tensor, index, operation, pool, warn, inTurn }: MethodRun,
  matrices: readonly Matrix[],
  { names, parameters, layerDepth }: MatrixMerge,
): Promise<Matrix> {
  const { rows, columns } = matrices[0]!
  const zero = new Float64Array(rows * columns)
  const isBaseUsed: boolean = method.base !== 'none'
  const inputs = [...matrices.map(({ values }) => values), ...(isBaseUsed ? [zero] : [])].map((values) => ({
    dtype: 'F32' as const,
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  }))
  const merge = async (runtime: Runtime): Promise<Matrix> => {
    const session = createArraySession({ shape: [rows, columns], inputs, runtime })
    const { name } = operation.inputs[0]!
    const runLinalg = linalgOn(pool, index)
    const facts = { tensorName: name, seed, warn, layerDepth, names: { models: names }, runLinalg }
    const context = createMethodContext(session, facts)
    const models = matrices.map((_, slot) => input(slot))
    const base = isBaseUsed ? input(models.length) : undefined
    const value = await method.merge({ base, models }, parameters as MethodParameters, context)
    const bytes = await session.evaluate(value, 'F32')
    const merged = new Float32Array(bytes.buffer, bytes.byteOffset, rows * columns)
    return createMatrix(rows, columns, Float64Array.from(merged))
  }
  return inTurn((runtime) => asMethod(method, tensor.name, () => merge(runtime)))
}

/** Parameters of the models that have factors; weights by their roots, the sign going to A alone, so that products get them whole. */
function rooted(
  parameters: Readonly<Record<string, ParameterValue>>,
  models: readonly number[],
  isSigned: boolean,
): Readonly<Record<string, ParameterValue>> {
  const ofModels = (name: string, value: ParameterValue): ParameterValue => {
    if (!Array.isArray(value)) return value
    const own = models.map((model) => value[model] as number | boolean | string)
    if (name !== 'weight') return own
    return (own as number[]).map((weight) => Math.sqrt(Math.abs(weight)) * (isSigned ? Math.sign(weight) : 1))
  }
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, ofModels(name, value)]))
}

/** Each after its number of rows. */
function matricesOf(result: KernelResult): Matrix[] {
  const matrices: Matrix[] = []
  for (let i = 0; i < result.length; i += 2) {
    const values = result[i + 1] as Float64Array
    const rows = result[i]![0]!
    matrices.push(createMatrix(rows, rows === 0 ? 0 : values.length / rows, values))
  }
  return matrices
}
