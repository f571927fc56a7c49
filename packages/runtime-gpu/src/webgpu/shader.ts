import { arithmetic } from './arithmetic.ts'

/** Threads of a workgroup: what every implementation of WebGPU takes. */
export const WORKGROUP = 64

/**
 * What a step of a program does: y, z and w of the step tell its operands, by register unless said otherwise. Values are the bits of
 * a float32, masks are 0 and 1.
 */
const steps = {
  /** y: row of `data`. */
  load: 'data[step.y * size + i]',
  /** y: place among `numbers`. */
  number: 'numbers[step.y]',
  /** Whether the element comes before the end that `number` would give. Of positive numbers the bits have the order of the numbers. */
  before: 'u32(fromInteger(i32(i)) < numbers[step.y])',
  /** y: the value itself. */
  constant: 'step.y',
  negate: 'r[step.y] ^ SIGN',
  magnitude: 'r[step.y] & MAGNITUDE',
  squareRoot: 'squareRoot(r[step.y])',
  add: 'add(r[step.y], r[step.z])',
  subtract: 'add(r[step.y], r[step.z] ^ SIGN)',
  multiply: 'multiply(r[step.y], r[step.z])',
  divide: 'divide(r[step.y], r[step.z])',
  minimum: 'minimum(r[step.y], r[step.z])',
  maximum: 'maximum(r[step.y], r[step.z])',
  isLess: 'u32(isLess(r[step.y], r[step.z]))',
  isLessOrEqual: 'u32(isLessOrEqual(r[step.y], r[step.z]))',
  isEqual: 'u32(isEqual(r[step.y], r[step.z]))',
  and: 'r[step.y] & r[step.z]',
  or: 'r[step.y] | r[step.z]',
  not: '1u - r[step.y]',
  select: 'select(r[step.z], r[step.y], r[step.w] != 0u)',
  floor: 'fromInteger(floorOf(r[step.y]))',
  lowerHalf: 'lowerHalf(floorOf(r[step.y]))',
  upperHalf: 'upperHalf(floorOf(r[step.y]))',
  mantissa: 'mantissaOf(r[step.y])',
  exponent: 'exponentOf(r[step.y])',
  logarithm: 'logarithmOf(r[step.y], r[step.z])',
} as const

/** What a step can do. */
export type StepKind = keyof typeof steps

const kinds = Object.keys(steps) as StepKind[]
/** The numbers of what steps do: those after them store a register, of a value or a mask, in row z of the results. */
export const codeOf = (kind: StepKind | 'store' | 'storeMask'): number =>
  kind === 'store' ? kinds.length : kind === 'storeMask' ? kinds.length + 1 : kinds.indexOf(kind)

/**
 * Writes the shader that runs any program, step by step, in so many registers. One for each program would be faster for long calls,
 * but drivers put every function where it is called, and took up to 20 seconds to compile one.
 *
 * Of `numbers` the first is the length of the rows of `data` and `results`, and the second how many steps there are. A step is what it
 * does with the register of its result times 2^16 added, and up to three operands.
 */
export const shaderOf = (registers: number): string => `${arithmetic}
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read> numbers: array<u32>;
@group(0) @binding(2) var<storage, read> code: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> results: array<u32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let size = numbers[0];
  let count = numbers[1];
  if (i >= size) { return; }
  var r: array<u32, ${registers}>;
  for (var k = 0u; k < count; k = k + 1u) {
    let step = code[k];
    var result = 0u;
    switch (step.x & 0xffffu) {
${kinds.map((kind) => `      case ${codeOf(kind)}u: { result = ${steps[kind]}; }`).join('\n')}
      case ${codeOf('store')}u: {
        result = r[step.y];
        results[step.z * size + i] = result;
      }
      case ${codeOf('storeMask')}u: {
        result = r[step.y];
        results[step.z * size + i] = fromInteger(i32(result));
      }
      default: {}
    }
    r[step.x >> 16u] = result;
  }
}
`
