import { checkDepth, isInput, isPlaced } from './source-places.ts'

/** What a row of a plan file says of a tensor beside its kind. */
interface Row {
  readonly name: string
  /** Without the tensor's own. */
  readonly places: readonly number[]
}

/** Makes a part of a tensor; undefined for one that all tensors of a kind have in common, and then share. */
type Make = ((row: Row) => unknown) | undefined

/**
 * Makes what unpacks the tensors of a kind: its sources get files and bytes, its inputs the tensor's name where they have none. A kind is
 * gone through once, however many tensors are of it.
 * @param files the input files, by index
 */
export function unpackerOf(kind: object, files: readonly string[]): (row: Row) => unknown {
  const makerOf = (part: unknown, depth: number, isInOperation: boolean): Make => {
    checkDepth(depth)
    if (typeof part !== 'object' || part === null) return undefined
    if (Array.isArray(part)) {
      const makers = part.map((each) => makerOf(each, depth + 1, isInOperation))
      return makers.every((make) => make === undefined)
        ? undefined
        : (row) => part.map((each: unknown, index) => makers[index]?.(row) ?? each)
    }
    if (isPlaced(part as Readonly<Record<string, unknown>>)) {
      const { place, ...source } = part as Readonly<Record<string, unknown>>
      const at = 2 * (place as number)
      return ({ places }) => ({ ...source, file: files[places[at]!]!, byteStart: places[at + 1]! })
    }
    const makers = Object.entries(part).flatMap(([key, each]) => {
      const make = makerOf(each, depth + 1, isInOperation || key === 'operation')
      return make === undefined ? [] : [[key, make] as const]
    })
    const { name: named, ...unnamed } = part as { readonly name?: unknown }
    const isNamed = isInOperation && isInput(part)
    if (makers.length === 0 && !isNamed) return undefined
    const common = isNamed ? unnamed : part
    return (row) => {
      const made: Record<string, unknown> = { ...common }
      for (const [key, make] of makers) made[key] = make(row)
      if (isNamed) made['name'] = named ?? row.name
      return made
    }
  }
  return makerOf(kind, 0, false) ?? (() => kind)
}
