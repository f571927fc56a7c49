import type { MergePlan, PlannedInput, PlannedStage, PlannedTensor } from '../plan/merge-plan.ts'
import { checkDepth, isInput, isPlaced, mapPlaced, type SourcePlace } from './source-places.ts'
import { unpackerOf } from './unpack-kind.ts'

/**
 * A plan as a file has it. Tensors that are made in the same way are of one kind, and have a row each: the plan of a model with 91,000
 * tensors takes 20 MB.
 */
export interface PackedPlan extends Omit<MergePlan, 'inputs' | 'stages' | 'tensors' | 'copies'> {
  readonly inputs: readonly PackedInput[]
  readonly stages?: readonly PackedStage[]
  readonly copies: readonly { readonly name: string; readonly from: number }[]
  /**
   * What tensors are, but for their names and places: `PlannedTensor` without `name`, `file` and `byteStart`, inputs without `name` where
   * that is the tensor's, and sources with `place`, which of the row's places is theirs, instead of `file` and `byteStart`.
   */
  readonly kinds: readonly object[]
  /** In the order of the output. */
  readonly tensors: readonly PackedRow[]
}

/** The states of its files are in the list of files. */
type PackedInput = Omit<PlannedInput, 'states'>

interface PackedStage extends Omit<PlannedStage, 'inputs' | 'tensors'> {
  readonly inputs: readonly PackedInput[]
  readonly tensors: readonly PackedRow[]
}

/**
 * Name, kind, places. Of a tensor of the output the first place is its own: index of a file of the output, and byte there. Then, for each
 * source of its kind that reads a file, from place 0 on: index of the file in the list of inputs, and byte there.
 */
export type PackedRow = readonly [name: string, kind: number, ...places: number[]]

/** Packs a plan. @param indexOf gives the index of an input file */
export function packPlan(
  { inputs, stages, tensors, copies, ...plan }: MergePlan,
  indexOf: (file: string) => number,
): PackedPlan {
  const kinds = new Map<string, number>()
  const pack = ({ name, ...tensor }: { readonly name: string }, own: readonly number[]): PackedRow => {
    const places = [...own]
    const kind = JSON.stringify(
      kindOf(tensor, name, (source) => {
        const { file, byteStart, ...rest } = source as Record<string, unknown> & SourcePlace
        places.push(indexOf(file), byteStart)
        return { ...rest, place: (places.length - own.length) / 2 - 1 }
      }),
    )
    const known = kinds.get(kind) ?? kinds.size
    kinds.set(kind, known)
    return [name, known, ...places]
  }
  const packed = {
    ...plan,
    inputs: inputs.map(packInput),
    ...(stages && {
      stages: stages.map((stage) => ({
        ...stage,
        inputs: stage.inputs.map(packInput),
        tensors: stage.tensors.map((tensor) => pack(tensor, [])),
      })),
    }),
    copies: copies.map(({ name, from }) => ({ name, from: indexOf(from) })),
    tensors: tensors.map(({ file, byteStart, ...tensor }) => pack(tensor, [file, byteStart])),
  }
  return { ...packed, kinds: [...kinds.keys()].map((text) => JSON.parse(text) as object) }
}

const packInput = (input: PlannedInput): PackedInput =>
  Object.fromEntries(Object.entries(input).filter(([key]) => key !== 'states')) as unknown as PackedInput

/** Unpacks what `packPlan` gave. @param files the input files, by index */
export function unpackPlan(
  { kinds, inputs, stages, tensors, copies, ...plan }: PackedPlan,
  files: readonly string[],
): MergePlan {
  const makers = kinds.map((kind) => unpackerOf(kind, files))
  const unpack = (name: string, kind: number, places: readonly number[]): object => ({
    name,
    ...(makers[kind]!({ name, places }) as object),
  })
  return {
    ...plan,
    inputs: inputs.map(unpackInput),
    ...(stages && {
      stages: stages.map((stage) => ({
        ...stage,
        inputs: stage.inputs.map(unpackInput),
        tensors: stage.tensors.map(([name, kind, ...places]) => unpack(name, kind, places) as PlannedTensor),
      })),
    }),
    copies: copies.map(({ name, from }) => ({ name, from: files[from]! })),
    tensors: tensors.map(([name, kind, file, byteStart, ...places]) => ({
      ...(unpack(name, kind, places) as PlannedTensor),
      file: file!,
      byteStart: byteStart!,
    })),
  }
}

const unpackInput = ({ folder, ...input }: PackedInput): PlannedInput => ({ ...input, folder, states: {} })

/** Lists which places of a row the sources of a kind have. */
export function listPlaces(kind: object): readonly number[] {
  const found: number[] = []
  mapPlaced(kind, (source) => {
    found.push(source['place'] as number)
    return source
  })
  return found
}

/** Copies a tensor without its place: inputs without the name where that is the tensor's own, sources that read a file as `place` has them. */
function kindOf(tensor: object, own: string, place: (source: object) => object): object {
  const visit = (part: unknown, depth: number, isInOperation: boolean): unknown => {
    checkDepth(depth)
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map((each) => visit(each, depth + 1, isInOperation))
    if (isPlaced(part as Readonly<Record<string, unknown>>)) return place(part)
    const isNamed = isInOperation && isInput(part)
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(part)) {
      if (isNamed && key === 'name') continue
      const each = (part as Readonly<Record<string, unknown>>)[key]
      copy[key] = visit(each, depth + 1, isInOperation || key === 'operation')
    }
    if (isNamed && part.name !== own) copy['name'] = part.name
    return copy
  }
  return visit(tensor, 0, false) as object
}
