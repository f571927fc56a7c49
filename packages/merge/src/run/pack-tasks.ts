import type { ElementRange } from '@mk/tensor/runtime'
import type { KernelWork, PassTask, PassWork, TensorPass } from './task.ts'

/** A kernel whose program is posted once to each worker, under a number. */
type PackedKernel = Omit<KernelWork, 'program' | 'programKey'> & { readonly program: number }

type PackedWork =
  | PackedKernel
  | { readonly kind: 'copy'; readonly input: number; readonly finite: PackedKernel | undefined }
  | Exclude<PassWork, { readonly kind: 'kernel' | 'copy' }>

/** A pass as it is posted. */
export type PackedPass<Pass = TensorPass> = Omit<Pass, 'work' | 'recall'> & {
  readonly work: PackedWork
  readonly recall?: PackedKernel
}

/** What of a pass one task does: numbers, which cost less to post than objects. */
export interface PackedPart {
  /** Start and end of each range. */
  readonly ranges: readonly number[]
  /** As in `PassTask`, or the one group of all. */
  readonly groups: readonly number[] | number
  readonly gathered?: true
}

/** A program with its key. */
export type KeyedProgram = Pick<KernelWork, 'program' | 'programKey'>

/** Makes numbers of ranges: start and end of each. */
export function packRanges(ranges: readonly ElementRange[]): number[] {
  const numbers: number[] = []
  for (const { start, end } of ranges) numbers.push(start, end)
  return numbers
}

/** Makes ranges of numbers. */
export function unpackRanges(numbers: readonly number[]): ElementRange[] {
  const ranges: ElementRange[] = []
  for (let i = 0; i < numbers.length; i += 2) ranges.push({ start: numbers[i]!, end: numbers[i + 1]! })
  return ranges
}

/** Packs what a task does. */
export function packPart({ ranges, groups, gathered }: Omit<PassTask, 'pass'>): PackedPart {
  const numbers = packRanges(ranges)
  const [first = 0] = groups
  const isOne = groups.every((group) => group === first)
  return { ranges: numbers, groups: isOne ? first : groups, ...(gathered && { gathered }) }
}

/** Makes of a message what was packed. */
export function unpackPart({ ranges: numbers, groups, gathered }: PackedPart): Omit<PassTask, 'pass'> {
  const ranges = unpackRanges(numbers)
  return {
    ranges,
    groups: typeof groups === 'number' ? ranges.map(() => groups) : groups,
    ...(gathered && { gathered }),
  }
}

/** Packs a pass. @param numberOf gives the number that a program is posted under */
export function packPass<Pass extends { readonly work: PassWork; readonly recall?: KernelWork }>(
  pass: Pass,
  numberOf: (program: KeyedProgram) => number,
): PackedPass<Pass> {
  const packed = ({ program, programKey, ...work }: KernelWork): PackedKernel => ({
    ...work,
    program: numberOf({ program, programKey }),
  })
  const { work, recall, ...others } = pass
  return { ...others, work: packedWork(work, packed), ...(recall && { recall: packed(recall) }) }
}

/** Makes of a message what was packed. @param programOf gives the program of a number */
export function unpackPass<Pass extends { readonly work: PassWork; readonly recall?: KernelWork }>(
  { work, recall, ...others }: PackedPass<Pass>,
  programOf: (number: number) => KeyedProgram,
): Pass {
  const whole = ({ program, ...rest }: PackedKernel): KernelWork => ({ ...rest, ...programOf(program) })
  const unpacked =
    work.kind === 'kernel'
      ? whole(work)
      : work.kind === 'copy'
        ? { ...work, finite: work.finite && whole(work.finite) }
        : work
  return { ...others, work: unpacked, ...(recall && { recall: whole(recall) }) } as unknown as Pass
}

function packedWork(work: PassWork, packed: (kernel: KernelWork) => PackedKernel): PackedWork {
  if (work.kind === 'kernel') return packed(work)
  return work.kind === 'copy' ? { ...work, finite: work.finite && packed(work.finite) } : work
}
