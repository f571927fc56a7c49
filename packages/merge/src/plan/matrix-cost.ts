import type { LinalgJob } from '@mk/linalg'
import type { MethodContext } from '@mk/methods'
import type { Expression } from '@mk/tensor'

/** What a method that works on whole matrices did to a small one: sizes are of that. */
export interface MatrixWork {
  /** Products of all lines with a square matrix. */
  readonly products: number
  /** Seconds of one core for what was computed of matrices in memory, per cube of a size. */
  readonly secondsPerCube: number
  /** Elements of all matrices that came out, per square of a size. */
  readonly squares: number
}

/** Processor seconds and memory that a tensor's matrices take. */
export interface MatrixCost {
  readonly seconds: number
  readonly bytes: number
}

/** Of one core of a virtual AMD EPYC or Intel Xeon with Node 20. */
const productsPerSecond = 1e10
const secondsPerCube = {
  symmetricEigen: 5e-10,
  svd: 2.5e-9,
  effectiveRank: 5e-10,
  solvePositive: 1.5e-9,
  polarFactor: 6e-9,
}

/** Notes what a method asks of its context. */
export function recordMatrixWork(size: number) {
  let [products, seconds, elements] = [0, 0, 0]
  const cubes = (rows: number, columns: number, depth: number) => (rows * columns * depth) / size ** 3
  return {
    /** Wraps what carries out jobs. */
    linalg:
      (run: (job: LinalgJob) => Promise<readonly Float64Array[]>) =>
      async (job: LinalgJob): Promise<readonly Float64Array[]> => {
        const result = await run(job)
        elements += result.reduce((sum, { length }) => sum + length, 0)
        if (job.kind === 'multiply') {
          const { left, right, leftTransposed } = job
          const depth = leftTransposed === true ? left.rows : left.columns
          seconds += (2 * cubes(depth, result[0]!.length, 1)) / productsPerSecond
          elements += (left.values.length + right.values.length) / 2
        } else {
          const { rows, columns } = job.matrix
          seconds += secondsPerCube[job.kind] * cubes(Math.min(rows, columns), columns, rows)
        }
        return result
      },
    /** Wraps what a session answers. */
    context: (context: MethodContext): MethodContext => ({
      ...context,
      async products(requests) {
        const values = Object.values(requests)
        products += countTimes(values.flatMap(({ left, right }) => [left, right]))
        for (const { left, right } of values) products += left === right ? 0.5 : 1
        const result = await context.products(requests)
        for (const { values: made } of Object.values(result)) elements += made.length
        return result
      },
    }),
    finish: (result: Expression): MatrixWork => ({
      products: products + countTimes([result]),
      secondsPerCube: seconds,
      squares: elements / size ** 2,
    }),
  }
}

/** Scales what was recorded up to a tensor of which square matrices of that size are made. */
export const matrixCost = (work: MatrixWork, size: number, elements: number): MatrixCost => ({
  seconds: (2 * work.products * elements * size) / productsPerSecond + work.secondsPerCube * size ** 3,
  bytes: 8 * work.squares * size ** 2,
})

/** Counts the products within expressions, each once. */
function countTimes(roots: readonly Expression[]): number {
  const seen = new Set<object>()
  let count = 0
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || seen.has(node) || ArrayBuffer.isView(node)) return
    seen.add(node)
    if ((node as Expression).op === 'times') count++
    for (const value of Object.values(node)) visit(value)
  }
  roots.forEach(visit)
  return count
}
