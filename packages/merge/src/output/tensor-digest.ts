import { createHash } from 'node:crypto'
import { type MergePlan, operationInputs, type PlannedTensor, type PlannedTensorInput } from '../plan/merge-plan.ts'

/** Rows that are hashed at once. */
const rowsAtOnce = 1024

/**
 * Hashes all that a plan says of its tensors. What is the same in many of them, a shape or the parameters of a method, stands once in what
 * is hashed, and a tensor is a row of numbers and names: the JSON of all would be fifty megabytes for 100,000 tensors.
 */
export function digestTensors(tensors: MergePlan['tensors']): string {
  const hash = createHash('sha256')
  const table = createTable()
  let rows: unknown[] = []
  const flush = () => {
    hash.update(JSON.stringify(rows))
    rows = []
  }
  for (const tensor of tensors) {
    rows.push(rowOf(tensor, table.indexOf) ?? tensor)
    if (rows.length === rowsAtOnce) flush()
  }
  flush()
  hash.update(JSON.stringify(table.texts()))
  return hash.digest('hex')
}

type IndexOf = (value: object | string) => number

/** Values that are equal as JSON, each once. */
function createTable(): { readonly indexOf: IndexOf; texts(): readonly string[] } {
  const indexes = new Map<string, number>()
  const known = new Map<object | string, number>()
  return {
    indexOf(value) {
      const found = known.get(value)
      if (found !== undefined) return found
      const text = JSON.stringify(value)
      const index = indexes.get(text) ?? indexes.size
      indexes.set(text, index)
      known.set(value, index)
      return index
    },
    texts: () => [...indexes.keys()],
  }
}

/** A tensor that a method makes of tensors of files, as a row; undefined where there is more to it. */
function rowOf(tensor: PlannedTensor, indexOf: IndexOf): unknown[] | undefined {
  const { name, dtype, shape, operation, file, byteStart, ...more } = tensor
  if (operation.kind !== 'merge' || operation.tensors !== undefined || isAny(more)) return undefined
  const { kind, base, models, parameters, ...choice } = operation
  const row: unknown[] = [name, dtype, indexOf(shape), file, byteStart, kind, base === undefined, models.length]
  row.push(indexOf(parameters), isAny(choice) ? choice : 0)
  for (const input of operationInputs(operation)) if (!addInput(row, input, name, indexOf)) return undefined
  return row
}

function addInput(row: unknown[], { input, name, source, ...more }: PlannedTensorInput, own: string, indexOf: IndexOf) {
  if (source.kind !== 'file') return false
  const { kind, file, dtype, shape, byteStart, ...others } = source
  if (isAny(more) || isAny(others)) return false
  row.push(input, name === own ? 0 : name, kind, indexOf(file), dtype, indexOf(shape), byteStart)
  return true
}

function isAny(record: object): boolean {
  for (const _ in record) return true
  return false
}
