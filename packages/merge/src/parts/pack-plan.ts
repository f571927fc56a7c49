import type { MergePlan, PlannedInput, PlannedStage, PlannedTensor } from '../plan/merge-plan.ts'
import { mapPlaced, type SourcePlace } from './source-places.ts'

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
      mapPlaced(withoutName(tensor, name), ({ file, byteStart, ...source }) => {
        places.push(indexOf(file as string), byteStart as number)
        return { ...source, place: places.length / 2 - own.length / 2 - 1 }
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
  const unpack = (name: string, kind: number, places: readonly number[]): object => {
    const tensor = mapPlaced(withName(kinds[kind]!, name), ({ place, ...source }) => {
      const at = 2 * (place as number)
      return { ...source, file: files[places[at]!]!, byteStart: places[at + 1]! }
    })
    return { name, ...tensor }
  }
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

/** An input of a tensor, in any of the places where operations have them. */
const isInput = (part: object): part is { readonly input: number; readonly source: object; readonly name?: string } =>
  'input' in part && 'source' in part && typeof part.source === 'object'

/** Leaves out the names of inputs that are the tensor's own. */
const withoutName = <T>(tensor: T, own: string): T =>
  mapInputs(tensor, ({ name, ...input }) => (name === own ? input : { ...input, name }))

const withName = <T>(tensor: T, own: string): T => mapInputs(tensor, ({ name = own, ...input }) => ({ ...input, name }))

type TensorInput = Partial<SourcePlace> & { readonly name?: string | undefined }

/** Inputs stand in operations, or in lists in them. */
function mapInputs<T>(tensor: T, change: (input: TensorInput) => object): T {
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.some((each) => typeof each === 'object') ? part.map(visit) : part
    if (typeof part !== 'object' || part === null) return part
    return isInput(part) ? change(part) : mapValues(part, visit)
  }
  return mapValues(tensor as object, (value, key) => (key === 'operation' ? visit(value) : value)) as T
}

const mapValues = (part: object, map: (value: unknown, key: string) => unknown): object =>
  Object.fromEntries(Object.entries(part).map(([key, value]) => [key, map(value, key)]))
