import type { Instruction, Program } from '@mk/tensor/runtime'

/** What becomes of a program: the text of a gpu.js kernel, what to upload for it, and what it computes. */
export interface KernelPlan {
  /** Instructions whose values the host provides, one row of the uploaded data each; those that the kernel reads come first. */
  readonly rows: readonly number[]
  readonly uploadedRows: number
  /** Instructions whose one number for the call the host provides: scalars, and the ends of `before`. */
  readonly numbers: readonly number[]
  /** Instructions that the kernel computes, one row of its output each. */
  readonly computed: readonly number[]
  /** For a number of elements that is the same in every call. */
  source(elementCount: number): string
}

/** Vectors and random numbers depend on flat indices past what a float32 counts, so that the host expands them. */
const isRow = ({ op }: Instruction): boolean => op === 'input' || op === 'vector' || op === 'uniform'

export function planKernel({ instructions, outputs }: Program): KernelPlan {
  const roots = [...new Set(outputs.map((output) => (output.kind === 'locate' ? output.mask : output.value)))]
  const computed = roots.filter((root) => !isRow(instructions[root]!))
  const needed = computed.map((root) => neededFor(instructions, root))
  const reached = [...new Set(needed.flat())].toSorted((a, b) => a - b)
  const uploaded = reached.filter((position) => isRow(instructions[position]!))
  const rows = [...uploaded, ...roots.filter((root) => isRow(instructions[root]!) && !uploaded.includes(root))]
  const numbers = reached.filter((position) => ['scalar', 'before'].includes(instructions[position]!.op))

  // Masks are the numbers 0 and 1: not every back end of gpu.js can tell that a variable is boolean.
  const source = (elementCount: number): string => {
    const branches = computed.map((root, row) => {
      const lines = needed[row]!.map(
        (position) => `const v${row}_${position} = ${expression(position, (operand) => `v${row}_${operand}`)};`,
      )
      const body = [...lines, `return v${row}_${root};`]
      return computed.length === 1 ? body : [`if (this.thread.y === ${row}) {`, ...body, '}']
    })
    return ['function kernel(data, numbers) {', ...branches.flat(), '}'].join('\n')

    function expression(position: number, value: (operand: number) => string): string {
      const instruction = instructions[position]!
      switch (instruction.op) {
        case 'input':
        case 'vector':
        case 'uniform':
          return `data[this.thread.x + ${rows.indexOf(position) * elementCount}]`
        case 'scalar':
          return `numbers[${numbers.indexOf(position)}]`
        case 'before':
          return `this.thread.x < numbers[${numbers.indexOf(position)}] ? 1 : 0`
        case 'neg':
          return `-${value(instruction.a)}`
        case 'abs':
          return `Math.abs(${value(instruction.a)})`
        case 'sqrt':
        case 'exp':
        case 'log':
          return `Math.fround(Math.${instruction.op}(${value(instruction.a)}))`
        case 'add':
        case 'sub':
        case 'mul':
        case 'div':
          return `Math.fround(${value(instruction.a)} ${symbols[instruction.op]} ${value(instruction.b)})`
        case 'minimum':
        case 'maximum': {
          // Equal operands may be zeros of both signs; those that no comparison orders are NaN, which GPUs' own min and max lose.
          const [a, b] = [value(instruction.a), value(instruction.b)]
          const [before, own] = instruction.op === 'minimum' ? ['<', 'Math.min'] : ['>', 'Math.max']
          return `${a} ${before} ${b} ? ${a} : ${b} ${before} ${a} ? ${b} : ${a} === ${b} ? ${own}(${a}, ${b}) : ${a} + ${b}`
        }
        case 'lt':
        case 'le':
        case 'gt':
        case 'ge':
        case 'eq':
          return `${value(instruction.a)} ${symbols[instruction.op]} ${value(instruction.b)} ? 1 : 0`
        case 'ne':
          return `${value(instruction.a)} === ${value(instruction.b)} ? 0 : 1`
        case 'and':
          return `${value(instruction.a)} * ${value(instruction.b)}`
        case 'or':
          return `Math.max(${value(instruction.a)}, ${value(instruction.b)})`
        case 'not':
          return `1 - ${value(instruction.a)}`
        case 'select':
          return `${value(instruction.mask)} > 0 ? ${value(instruction.a)} : ${value(instruction.b)}`
        case 'rank':
          throw new RangeError('rank has no source')
        default:
          return instruction satisfies never
      }
    }
  }
  return { rows, uploadedRows: uploaded.length, numbers, computed, source }
}

const symbols = { add: '+', sub: '-', mul: '*', div: '/', lt: '<', le: '<=', gt: '>', ge: '>=', eq: '===' } as const

/** The instruction and all that it is computed from, ascending. */
function neededFor(instructions: readonly Instruction[], root: number): number[] {
  const needed = new Set([root])
  for (let position = root; position >= 0; position--) {
    if (!needed.has(position)) continue
    const instruction = instructions[position]!
    for (const operand of ['mask', 'a', 'b'] as const)
      if (operand in instruction) needed.add((instruction as unknown as Record<string, number>)[operand]!)
  }
  return [...needed].toSorted((a, b) => a - b)
}
