import { describe, expect, it } from 'vitest'
import { createArraySession } from '../stages/array-session.ts'
import type { DenseMatrix, MatrixSide } from '../language/dense-matrix.ts'
import { crossProduct, times } from '../language/matrices.ts'
import { add, input, mul, perColumn, perRow, rank, sub } from '../language/operations.ts'
import { sum } from '../language/reductions.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import { blockRanges, createBlockBuilder } from './block-plan.ts'

const matrixOf = (rows: number, columns: number, seed: number): DenseMatrix => ({
  rows,
  columns,
  values: Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(seed + 1.7 * i)),
})
const stored = ({ values }: DenseMatrix) => {
  const single = Float32Array.from(values)
  return { dtype: 'F32', bytes: new Uint8Array(single.buffer) } as const
}
const sessionOf = (...matrices: readonly DenseMatrix[]) =>
  createArraySession({ shape: [matrices[0]!.rows, matrices[0]!.columns], inputs: matrices.map(stored) })
const turn = ({ rows, columns, values }: DenseMatrix): DenseMatrix => ({
  rows: columns,
  columns: rows,
  values: Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
})
const product = (left: DenseMatrix, right: DenseMatrix): DenseMatrix => ({
  rows: left.rows,
  columns: right.columns,
  values: Float64Array.from({ length: left.rows * right.columns }, (_, at) => {
    const [row, column] = [Math.floor(at / right.columns), at % right.columns]
    let total = 0
    for (let k = 0; k < left.columns; k++)
      total +=
        Math.fround(left.values[row * left.columns + k]!) * Math.fround(right.values[k * right.columns + column]!)
    return total
  }),
})
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((most, each) => Math.max(most, each), 0)
const expectClose = (a: DenseMatrix, b: DenseMatrix) => {
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns])
  expect(farthest(a.values, b.values)).toBeLessThan(1e-5 * (1 + farthest(b.values, new Float64Array(b.values.length))))
}
const x = input(0)
const y = input(1)

describe('cross products', () => {
  it.each([
    [300, 3],
    [5, 300],
    [1, 4],
    [4, 1],
  ])('of columns and of rows, of a tensor of %i × %i', async (rows, columns) => {
    const [a, b] = [matrixOf(rows, columns, 1), matrixOf(rows, columns, 2)]
    const found = await sessionOf(a, b).products({
      ofColumns: crossProduct(x, y),
      ofRows: crossProduct(x, y, 'rows'),
      gram: crossProduct(x),
    })
    expectClose(found.ofColumns, product(turn(a), b))
    expectClose(found.ofRows, product(a, turn(b)))
    expectClose(found.gram, product(turn(a), a))
  })

  it('of expressions, and of matrices that are turned before', async () => {
    const [a, b, m] = [matrixOf(300, 4, 1), matrixOf(300, 4, 2), matrixOf(4, 2, 3)]
    const difference = { ...a, values: a.values.map((value, i) => Math.fround(value) - Math.fround(b.values[i]!)) }
    const { found } = await sessionOf(a, b).products({ found: crossProduct(times(sub(x, y), m), times(x, m)) })
    expectClose(found, product(turn(product(difference, m)), product(a, m)))
  })

  it('of matrices that have different widths once they are turned', async () => {
    const [a, b, m, n] = [matrixOf(30, 4, 1), matrixOf(30, 4, 2), matrixOf(4, 2, 3), matrixOf(4, 7, 4)]
    const found = await sessionOf(a, b).products({
      wider: crossProduct(times(x, m), times(y, n)),
      narrower: crossProduct(times(x, n), times(y, m)),
    })
    expectClose(found.wider, product(turn(product(a, m)), product(b, n)))
    expectClose(found.narrower, product(turn(product(a, n)), product(b, m)))
  })

  it('of more elements than a kernel call covers, and of several blocks', async () => {
    const [a, b] = [matrixOf(40_000, 4, 1), matrixOf(40_000, 4, 2)]
    const { tall } = await sessionOf(a, b).products({ tall: crossProduct(sub(x, y), y) })
    const difference = { ...a, values: a.values.map((value, i) => Math.fround(value) - Math.fround(b.values[i]!)) }
    expectClose(tall, product(turn(difference), b))
    const [c, d] = [matrixOf(3, 400_000, 1), matrixOf(3, 400_000, 2)]
    const { wide } = await sessionOf(c, d).products({ wide: crossProduct(mul(x, 2), y, 'rows') })
    expectClose(wide, product({ ...c, values: c.values.map((value) => 2 * Math.fround(value)) }, turn(d)))
  })

  it('are symmetric to the bit where both are the same', async () => {
    const { gram } = await sessionOf(matrixOf(20, 600, 1)).products({ gram: crossProduct(x) })
    expect(farthest(gram.values, turn(gram).values)).toBe(0)
  })

  it('of a tensor without elements are empty or zero', async () => {
    const session = createArraySession({ shape: [0, 3], inputs: [{ dtype: 'F32', bytes: new Uint8Array(0) }] })
    const found = await session.products({ a: crossProduct(x), b: crossProduct(x, x, 'rows') })
    expect(found.a.values).toEqual(new Float64Array(9))
    expect(found.b).toMatchObject({ rows: 0, columns: 0 })
  })
})

describe('an expression with products', () => {
  it.each(['columns', 'rows'] satisfies MatrixSide[])('is evaluated by blocks, on %s', async (on) => {
    const a = matrixOf(300, 9, 1)
    const m = on === 'columns' ? matrixOf(9, 9, 2) : matrixOf(300, 300, 2)
    const session = sessionOf(a)
    const value = add(mul(x, perColumn(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))), mul(times(x, m, on), 0.5))
    const bytes = await session.evaluate(value, 'F32')
    const found = { rows: 300, columns: 9, values: Float64Array.from(new Float32Array(bytes.buffer)) }
    const turned = on === 'columns' ? product(a, m) : product(m, a)
    expectClose(found, { ...a, values: a.values.map((each, i) => each * (1 + (i % 9)) + turned.values[i]! / 2) })
    const parts: Uint8Array[] = []
    await session.evaluateInto(value, 'F32', (byteStart, part) => {
      expect(byteStart).toBe(parts.reduce((total, { length }) => total + length, 0))
      parts.push(part.slice())
    })
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  })

  it('may turn what was turned', async () => {
    const [a, m, n] = [matrixOf(5, 3, 1), matrixOf(3, 6, 2), matrixOf(6, 3, 3)]
    const bytes = await sessionOf(a).evaluate(times(times(x, m), n), 'F32')
    expectClose({ ...a, values: Float64Array.from(new Float32Array(bytes.buffer)) }, product(product(a, m), n))
  })

  it('gives the same bits for a matrix and, on the other side, its transpose', async () => {
    const [a, m] = [matrixOf(300, 30, 1), matrixOf(30, 30, 2)]
    const upright = await sessionOf(a).evaluate(times(x, m), 'F32')
    const lying = await sessionOf(turn(a)).evaluate(times(x, turn(m), 'rows'), 'F32')
    const values = Float64Array.from(new Float32Array(lying.buffer))
    expect(farthest(turn({ rows: 30, columns: 300, values }).values, new Float32Array(upright.buffer))).toBe(0)
  })
})

describe('blocks', () => {
  const rangesOf = (shape: readonly number[], on: MatrixSide, value = times(x, matrixOf(1, 1, 1), on)) => {
    const builder = createBlockBuilder(shape, ['F32'], on)
    builder.value(value.op === 'times' ? value.value : value)
    return blockRanges(builder.finish())
  }

  it('are cut at multiples of 256 lines, by the shape only', () => {
    expect(rangesOf([3000, 4096], 'columns')[0]).toEqual({ start: 0, end: 256 * 4096 })
    expect(rangesOf([4096, 3000], 'rows').map(({ end }) => end / 4096)).toEqual(
      [...Array(11).keys()].map((i) => 256 * (i + 1)).concat(3000),
    )
    expect(rangesOf([3000, 8], 'columns')).toEqual([{ start: 0, end: 24_000 }])
  })

  it('have whole rows where ranks are asked for', () => {
    expect(rangesOf([4096, 3000], 'rows', rank(x))).toHaveLength(1)
  })
})

describe('what does not fit is refused', () => {
  const session = sessionOf(matrixOf(3, 4, 1), matrixOf(3, 4, 2))
  const square = matrixOf(4, 4, 1)
  it.each<[string, () => Promise<unknown>, string]>([
    [
      'a tensor that is no matrix',
      () => createArraySession({ shape: [12], inputs: [stored(matrixOf(3, 4, 1))] }).products({ a: crossProduct(x) }),
      'the tensor is of shape [12], expected one of two dimensions',
    ],
    [
      'a matrix of another size',
      () => session.evaluate(times(x, matrixOf(3, 3, 1)), 'F32'),
      'the matrix is 3 × 3, expected 4 rows',
    ],
    [
      'a matrix of another size, before the tensor',
      () => session.evaluate(times(x, square, 'rows'), 'F32'),
      'the matrix is 4 × 4, expected 3 columns',
    ],
    [
      'a product of another shape among elements',
      () => session.evaluate(add(x, times(x, matrixOf(4, 2, 1))), 'F32'),
      'a product among elements is 2 wide, expected 4, as the tensor is',
    ],
    [
      'both sides at once',
      () => session.evaluate(add(times(x, square), times(x, matrixOf(3, 3, 1), 'rows')), 'F32'),
      'a side is rows, expected columns, as of the others',
    ],
    [
      'a vector for other columns',
      () => session.evaluate(add(times(x, square), perRow(Float32Array.of(1, 2))), 'F32'),
      'the matrix of its vectors is 6 columns wide, expected 4, as the tensor is',
    ],
  ])('%s', async (_, ask, words) => {
    await expect(ask()).rejects.toMatchObject({ code: 'product-sizes', message: `matrix product: ${words}` })
  })

  it('a product in a reduction', async () => {
    await expect(session.reduce({ a: sum(times(x, square)) })).rejects.toMatchObject({ code: 'product-place' })
    expect(() => crossProduct(2)).toThrow('crossProduct')
  })

  it('a runtime without products', async () => {
    const { compileProduct: _, ...reference } = createReferenceRuntime()
    const runtime = {
      ...reference,
      compileProduct: () => Promise.reject(new Error('none here')),
    }
    const lacking = createArraySession({ shape: [3, 4], inputs: [stored(matrixOf(3, 4, 1))], runtime })
    await expect(lacking.products({ a: crossProduct(x) })).rejects.toThrow('none here')
  })
})

it('reads an input that streams', async () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i)
  const bytes = new Uint8Array(values.buffer)
  const read = async (start: number, into: Uint8Array) => void into.set(bytes.subarray(start, start + into.length))
  const session = createArraySession({ shape: [3, 4], inputs: [{ dtype: 'F32', read }] })
  const { gram } = await session.products({ gram: crossProduct(x, x, 'rows') })
  expect([...gram.values]).toEqual([14, 38, 62, 38, 126, 214, 62, 214, 366])
})
