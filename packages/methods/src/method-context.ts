import type { Linalg, LinalgJob } from '@mk/linalg'
import { type DenseMatrix, type Expression, type MatrixSide, randomKey, type Session, uniform } from '@mk/tensor'
import type { MethodContext } from './declare/define-method.ts'

/** The facts that a session doesn't have. */
export interface MethodContextOptions {
  readonly tensorName: string
  /** Whole, 0 … 2^53 − 1. */
  readonly seed: number
  readonly warn: (message: string) => void
  /** Carries out what a method asks of matrices in memory. Absent: it is done here, by the reference runtime. */
  readonly runLinalg?: (job: LinalgJob) => Promise<readonly Float64Array[]>
  /** Reads the matrix in an input slot. Absent: there are none. */
  readonly readMatrix?: ((slot: number) => Promise<DenseMatrix>) | undefined
  /** Of the tensor's layer in the output, if it is in one and the method asks for it. */
  readonly layerDepth?: number | undefined
  /** Absent: 'columns'. */
  readonly inputSide?: MatrixSide | undefined
  /** What the user calls the models. */
  readonly names?: { readonly base?: string | undefined; readonly models: readonly string[] }
}

/** Makes what a method is called with from the session of a tensor: adds its name, random numbers and a place for warnings. */
export function createMethodContext(
  session: Session,
  {
    tensorName,
    seed,
    warn,
    layerDepth,
    inputSide = 'columns',
    names,
    runLinalg = runHere,
    readMatrix,
  }: MethodContextOptions,
): MethodContext {
  const uniforms = new Map<number, Expression>()
  return {
    shape: session.shape,
    elementCount: session.elementCount,
    reduce: (reductions, options) => session.reduce(reductions, options),
    largest: (requests) => session.largest(requests),
    largestShare: (request, summed) => session.largestShare(request, summed),
    kthLargest: (value, ranks) => session.kthLargest(value, ranks),
    products: (requests) => session.products(requests),
    tensorName,
    layerDepth,
    inputSide,
    nameOf: (model) =>
      model === 'base' ? (names?.base ?? 'the base') : (names?.models[model] ?? `model ${model + 1}`),
    warn,
    linalg: lazily(runLinalg),
    readMatrix(matrix) {
      if (matrix.op !== 'input' || readMatrix === undefined)
        throw new TypeError(`${tensorName}: no parameter names this matrix; expected one that matricesOfFile declares`)
      return readMatrix(matrix.slot)
    },
    uniform(modelIndex) {
      // one object for each model, so that its numbers are drawn once however often a method names them
      const known = uniforms.get(modelIndex) ?? uniform(randomKey(seed, tensorName, modelIndex))
      uniforms.set(modelIndex, known)
      return known
    },
  }
}

/** Most methods ask for nothing of it, and are spared loading it. */
function lazily(run: (job: LinalgJob) => Promise<readonly Float64Array[]>): Linalg {
  let opening: Promise<Linalg> | undefined
  const open = () => (opening ??= import('@mk/linalg').then(({ createLinalg }) => createLinalg(run)))
  return {
    symmetricEigen: async (matrix) => (await open()).symmetricEigen(matrix),
    svd: async (matrix) => (await open()).svd(matrix),
    solvePositive: async (matrix, right) => (await open()).solvePositive(matrix, right),
    polarFactor: async (matrix, options) => (await open()).polarFactor(matrix, options),
    multiply: async (left, right, options) => (await open()).multiply(left, right, options),
  }
}

async function runHere(job: LinalgJob): Promise<readonly Float64Array[]> {
  const [{ carryOut }, { createReferenceRuntime }] = await Promise.all([
    import('@mk/linalg'),
    import('@mk/tensor/runtime'),
  ])
  return carryOut(job, createReferenceRuntime())
}
