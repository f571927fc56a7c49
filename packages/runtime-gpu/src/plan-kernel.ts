import {
  applyOperation,
  type Instruction,
  isRowOperation,
  isSource,
  operandsOf,
  type Program,
} from '@mk/tensor/runtime'
import { sources } from './operation-sources.ts'

/** What becomes of a program: what to upload for it, and what it computes. */
export interface KernelPlan {
  /** Instructions whose values the host provides, one row of the uploaded data each; those that the kernel reads come first. */
  readonly rows: readonly number[]
  readonly uploadedRows: number
  /** Instructions whose one number for the call the host provides: scalars, and the ends of `before`. */
  readonly numbers: readonly number[]
  /** Instructions that the kernel computes, one row of its output each. */
  readonly computed: readonly number[]
  /** Those, and all that they are computed from, ascending. */
  readonly reached: readonly number[]
  /** What gpu.js compiles, for a number of elements that is the same in every call. */
  source(elementCount: number): string
}

/** Vectors and random numbers depend on flat indices past what a float32 counts, so that the host expands them. */
const isRow = ({ op }: Instruction): boolean => op === 'input' || op === 'vector' || op === 'uniform'

/** Plans the kernel of a well-formed program without operations on rows. */
export function planKernel({ instructions, outputs }: Program): KernelPlan {
  const roots = [...new Set(outputs.map((output) => (output.kind === 'locate' ? output.mask : output.value)))]
  const computed = roots.filter((root) => !isRow(instructions[root]!))
  const needed = computed.map((root) => neededFor(instructions, root))
  const reached = [...new Set(needed.flat())].toSorted((a, b) => a - b)
  const uploaded = reached.filter((position) => isRow(instructions[position]!))
  const rows = [...uploaded, ...roots.filter((root) => isRow(instructions[root]!) && !uploaded.includes(root))]
  const numbers = reached.filter((position) => ['scalar', 'before'].includes(instructions[position]!.op))

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
      if (isRowOperation(instruction)) throw new TypeError(`${instruction.op} has no source`)
      if (!isSource(instruction)) return applyOperation(sources, instruction, value)
      switch (instruction.op) {
        case 'input':
        case 'vector':
        case 'uniform':
          return `data[this.thread.x + ${rows.indexOf(position) * elementCount}]`
        case 'scalar':
          return `numbers[${numbers.indexOf(position)}]`
        case 'before':
          return `this.thread.x < numbers[${numbers.indexOf(position)}] ? 1 : 0`
        default:
          return instruction satisfies never
      }
    }
  }
  return { rows, uploadedRows: uploaded.length, numbers, computed, reached, source }
}

/** Lists the instruction and all that it is computed from, ascending. */
function neededFor(instructions: readonly Instruction[], root: number): number[] {
  const needed = new Set([root])
  for (let position = root; position >= 0; position--) {
    if (!needed.has(position)) continue
    for (const operand of operandsOf(instructions[position]!)) needed.add(operand)
  }
  return [...needed].toSorted((a, b) => a - b)
}
