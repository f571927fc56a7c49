import { dtypeBytes } from '@mk/safetensors'
import {
  add,
  and,
  eq,
  type Expression,
  ge,
  gt,
  input,
  type Kind,
  le,
  lt,
  type Mask,
  mul,
  ne,
  neg,
  not,
  type Operation,
  operations,
  or,
  select,
} from '../language/operations.ts'
import { caseOf, type ConformanceCase } from './case.ts'
import { allDtypes, anyBytes, everyPattern, lengths, numbers, special, stored } from './data.ts'

const a = input(0)
const b = input(1)

/** Every pair of special numbers, then pairs of ordinary ones, some of them equal. */
function pairs(): [Uint8Array, Uint8Array, number] {
  const n = special.length
  const x = numbers(1003, 1)
  const y = numbers(1003, 2).map((value, i) => (i % 5 === 0 ? x[i]! : value))
  const first = Float32Array.from([...Array.from({ length: n * n }, (_, i) => special[Math.floor(i / n)]!), ...x])
  const second = Float32Array.from([...Array.from({ length: n * n }, (_, i) => special[i % n]!), ...y])
  return [stored('F32', first), stored('F32', second), first.length]
}

/** All exponents, what is about the edges of all operations, and special numbers. */
function sweep(): Float32Array {
  const values = [...special]
  for (let exponent = -149; exponent < 128; exponent++)
    for (const m of [1, 1.2345, 1.4142135, 1.4142137, 1.75, 1.9999999])
      values.push(m * 2 ** exponent, -m * 2 ** exponent)
  for (let x = -105; x <= 90; x += 0.0371) values.push(x)
  for (const [around, step] of edges) for (let i = -200; i < 200; i++) values.push(around + i * step)
  return Float32Array.from(values)
}

const onPairs = () => {
  const [x, y, elementCount] = pairs()
  return [{ elementCount, inputs: [x, y] }]
}

const edges = Object.values(operations).flatMap((row): readonly (readonly [number, number])[] =>
  'edges' in row ? row.edges : [],
)

/** One operation: a value for a value, else all pairs of special numbers, and masks that depend on them. */
function caseOfOperation(op: Operation): ConformanceCase {
  const { operands, result } = operations[op]
  const kinds = Object.values<Kind>(operands)
  const given = { value: [a, b, mul(a, b)], mask: [lt(a, b), gt(a, 0), ne(b, 1)] }
  const next = { value: 0, mask: 0 }
  const nodes = Object.entries<Kind>(operands).map(([name, kind]) => [name, given[kind][next[kind]++ % 3]])
  const node = { op, ...Object.fromEntries(nodes) } as Expression & Mask
  const ofOne = kinds.join() === 'value'
  return caseOf(
    'operation',
    op,
    ofOne ? ['F32'] : ['F32', 'F32'],
    result === 'mask'
      ? {
          stores: [{ value: select(node, 1, 0), dtype: 'U8' }],
          reductions: [{ reduce: 'sum', per: 'tensor', value: node }],
        }
      : { stores: [{ value: node, dtype: 'F32' }] },
    ofOne ? onSweep : onPairs,
  )
}

const onSweep = () => {
  const values = sweep()
  return [{ elementCount: values.length, inputs: [stored('F32', values)] }]
}

export const operationCases = (): ConformanceCase[] => [
  ...(Object.keys(operations) as Operation[]).map(caseOfOperation),
  caseOf(
    'operation',
    'and, or, not, select',
    ['F32', 'F32'],
    {
      stores: [
        { value: select(and(lt(a, b), gt(a, 0)), a, b), dtype: 'F32' },
        { value: select(or(not(le(a, b)), eq(a, b)), b, a), dtype: 'F32' },
        { value: select(not(and(ne(a, b), not(ge(b, 1)))), a, -1), dtype: 'F32' },
      ],
    },
    onPairs,
  ),
  caseOf(
    'operation',
    'scalars are rounded to float32',
    ['F32'],
    { stores: [{ value: add(mul(a, 0.1), 1e-3), dtype: 'F32' }] },
    () => {
      const inputs = [stored('F32', numbers(37, 3))]
      return [
        [0.1, 1e-3],
        [1 + 2 ** -24, 0],
        [1e300, 1],
        [-1e-50, -0],
        [NaN, 1],
        [1e-42, 0],
      ].map((scalars) => ({ elementCount: 37, inputs, scalars }))
    },
  ),
  caseOf('operation', 'a constant without inputs', [], { stores: [{ value: 0.1, dtype: 'BF16' }] }, () => [
    { elementCount: 5, inputs: [] },
  ]),
  caseOf(
    'operation',
    'inputs that nothing reads',
    ['F32', 'BF16', 'F64'],
    { stores: [{ value: neg(b), dtype: 'F32' }] },
    () => [{ elementCount: 9, inputs: [new Uint8Array(0), stored('BF16', numbers(9, 4)), new Uint8Array(0)] }],
  ),
  caseOf(
    'operation',
    'nothing but the input',
    ['F32', 'BF16'],
    {
      stores: [
        { value: a, dtype: 'F32' },
        { value: b, dtype: 'BF16' },
      ],
    },
    () => [{ elementCount: 21, inputs: [stored('F32', numbers(21, 4)), stored('BF16', numbers(21, 4))] }],
  ),
]

/** Float32 numbers around every midpoint between two neighbors of a format with so many bits cut off. */
function midpoints(cut: number): Float32Array {
  const half = 1 << (cut - 1)
  const step = 2 ** Math.max(cut, 15)
  const values = new Float32Array((3 * 2 ** 31) / step)
  const patterns = new Uint32Array(values.buffer)
  for (let i = 0; i < patterns.length; i++) {
    const pattern = Math.floor(i / 3) * step + half + (i % 3) - 1
    patterns[i] = i % 2 ? pattern ^ 0x80000000 : pattern
  }
  return values
}

export const dtypeCases = (): ConformanceCase[] => [
  ...allDtypes.map((dtype) =>
    caseOf('dtype', `reads ${dtype}`, [dtype], { stores: [{ value: a, dtype: 'F32' }] }, () => {
      const size = dtypeBytes(dtype)
      const bytes = size <= 2 ? everyPattern(size as 1 | 2) : dtype === 'F64' ? doubles() : anyBytes(dtype, 3001, 5)
      return [
        { elementCount: bytes.length / size, inputs: [bytes] },
        ...lengths.map((elementCount) => ({ elementCount, inputs: [anyBytes(dtype, elementCount, elementCount)] })),
      ]
    }),
  ),
  ...allDtypes.map((dtype) =>
    caseOf('dtype', `writes ${dtype}`, ['F32'], { stores: [{ value: a, dtype }] }, () => {
      const sets = [
        special,
        numbers(1003, 6),
        midpoints(dtype === 'BF16' ? 16 : 13),
        midpoints(20),
        midpoints(21),
        integersAndHalves(),
        smallest(),
      ]
      return [...sets, ...lengths.map((n) => numbers(n, n))].map((values) => ({
        elementCount: values.length,
        inputs: [stored('F32', values)],
      }))
    }),
  ),
]

/** Doubles that are ties between two float32, just beside such ties, out of range and subnormal. */
function doubles(): Uint8Array {
  const values = [...special, 1e300, -1e-300, 1e-46, 3.4028235677973366e38]
  for (let i = 0; i < 500; i++)
    values.push(
      1 + (2 * i + 1) * 2 ** -24,
      1 + (2 * i + 1) * 2 ** -24 + 2 ** -52,
      -(i + 0.5) * 2 ** -149,
      (i + 0.5) * 2 ** -149 * (1 + 2 ** -50),
    )
  return new Uint8Array(Float64Array.from(values).buffer)
}

const integersAndHalves = () => Float32Array.from({ length: 4096 }, (_, i) => (i - 2048) / 4)

/** Around the subnormals of the 8 and 16-bit formats. */
const smallest = () =>
  Float32Array.from({ length: 4096 }, (_, i) => (i % 2 ? -1 : 1) * (i >> 1) * 2 ** [-27, -18, -12, -137][i % 4]!)
