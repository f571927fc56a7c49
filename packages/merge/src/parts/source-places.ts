import type { MergePlan } from '../plan/merge-plan.ts'

/** A run of bytes of an input: where the elements of a source begin. */
export interface SourcePlace {
  readonly file: string
  readonly byteStart: number
}

/** What sources name files by. */
const placed: ReadonlySet<unknown> = new Set(['file', 'strided', 'blocks'])

/** Of what a plan has; a hostile one may go on for ever. */
const deepest = 64

type Part = Readonly<Record<string, unknown>>

/** Tells whether a part of a plan is a source that reads a file itself. */
export const isPlaced = (part: Part): boolean => placed.has(part['kind']) && 'dtype' in part

/** Tells an input of a tensor, in any of the places where operations have them. */
export const isInput = (
  part: object,
): part is { readonly input: number; readonly source: object; readonly name?: string } =>
  'input' in part && 'source' in part && typeof part.source === 'object'

/** @throws RangeError */
export function checkDepth(depth: number): void {
  if (depth > deepest) throw new RangeError(`a value nested more than ${deepest} deep`)
}

/**
 * Copies a part of a plan with each source that reads a file itself replaced, from the first to the last.
 * @throws RangeError for a value that is nested deeper than any plan
 */
export function mapPlaced<T>(value: T, replace: (source: Part) => Part): T {
  const visit = (part: unknown, depth: number): unknown => {
    checkDepth(depth)
    if (Array.isArray(part))
      return part.every((each) => typeof each !== 'object') ? part : part.map((each) => visit(each, depth + 1))
    if (typeof part !== 'object' || part === null) return part
    if (isPlaced(part as Part)) return replace(part as Part)
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, visit(each, depth + 1)]))
  }
  return visit(value, 0) as T
}

/** Gives a plan whose inputs lie elsewhere. @param locate gives the path of a file now */
export function withPaths(plan: MergePlan, locate: (file: string) => string): MergePlan {
  const move = <T>(part: T): T =>
    mapPlaced(part, (source) => ({ ...source, file: locate((source as unknown as SourcePlace).file) }))
  const { tensors, stages, copies } = plan
  return {
    ...plan,
    tensors: tensors.map(move),
    ...(stages && { stages: stages.map((stage) => ({ ...stage, tensors: stage.tensors.map(move) })) }),
    copies: copies.map(({ name, from }) => ({ name, from: locate(from) })),
  }
}
