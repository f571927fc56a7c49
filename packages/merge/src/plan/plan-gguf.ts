import {
  type EncodedGgmlType,
  ggmlBytes,
  type GgmlType,
  ggmlTypes,
  type GgufModelPlan,
  isEncodedGgmlType,
  largestEncoded,
  layoutGguf,
  storedGgmlType,
} from '@mk/gguf'
import { type Dtype, elementCount } from '@mk/safetensors'
import type { FilePiece, MergePlan, PlannedTensor, RowRun, StoredRows } from './merge-plan.ts'
import { ggufFileName, outputNames } from './output-names.ts'

/** What a GGUF says by itself, a folder needs no more. */
const documentsBeside: readonly string[] = [outputNames.card, outputNames.recipe, outputNames.moeRecipe]

/**
 * Turns the plan of a folder of safetensors into that of a folder with one GGUF: the same tensors by the same arithmetic, in other
 * types and places; what the tensors' rows go through on their way is done as they are written.
 * @param model of which the plan's tensors are the sources
 * @param asked a type; `storedGgmlType` says where another one is taken
 */
export function planGguf(plan: MergePlan, model: GgufModelPlan, asked: EncodedGgmlType): MergePlan {
  const layout = layoutGguf(
    model.metadata,
    model.tensors.map((tensor) => ({ ...tensor, type: storedGgmlType(tensor, asked) })),
  )
  const sources = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]))
  const stored = new Map<string, PlacedRows>()
  const pieces: FilePiece[] = [pieceOf(0, layout.header)]
  for (const [index, { content }] of model.tensors.entries()) {
    const placed = layout.tensors[index]!
    if (content.kind === 'values')
      pieces.push(pieceOf(placed.byteStart, new Uint8Array(Float32Array.from(content.values).buffer)))
    else {
      let byteStart = placed.byteStart
      for (const { source, rows, interleaveHeads } of content.parts) {
        const { shape } = sources.get(source)!
        const run: RowRun = {
          rowStart: rows?.start ?? 0,
          rowCount: rows?.count ?? rowCountOf(shape),
          byteStart,
          ...(interleaveHeads !== undefined && { interleaveHeads }),
        }
        const columns = columnsOf(shape)
        const { type } = placed
        const { blockElements, blockBytes } = ggmlTypes[type]
        const largest = isEncodedGgmlType(type) ? largestEncoded(type) : undefined
        const add = content.add !== undefined && { add: content.add }
        const kind = { type, blockElements, blockBytes, columns, ...(largest !== undefined && { largest }), ...add }
        stored.set(source, joined(stored.get(source), kind, run))
        byteStart += run.rowCount * ggmlBytes(type, [columns])!
      }
    }
  }
  return {
    ...plan,
    files: [{ name: ggufFileName, fileBytes: layout.fileBytes, format: 'gguf', pieces }],
    tensors: plan.tensors.flatMap((tensor) => {
      const rows = stored.get(tensor.name)
      return rows === undefined ? [] : [placeTensor(tensor, rows)]
    }),
    documents: plan.documents.filter(({ name }) => documentsBeside.includes(name)),
    copies: [],
  }
}

const pieceOf = (byteStart: number, bytes: Uint8Array): FilePiece => {
  let binary = ''
  for (let start = 0; start < bytes.length; start += 2 ** 13)
    binary += String.fromCharCode(...bytes.subarray(start, start + 2 ** 13))
  return { byteStart, base64: btoa(binary) }
}

const columnsOf = (shape: readonly number[]): number => (shape.length > 1 ? shape.at(-1)! : 1)
const rowCountOf = (shape: readonly number[]): number => elementCount(shape.length > 1 ? shape.slice(0, -1) : shape)

/** Also in types that are only copied, element by element. */
type PlacedRows = Omit<StoredRows, 'type'> & { readonly type: GgmlType }

/** Adds a run to those that a tensor has. */
function joined(known: PlacedRows | undefined, kind: Omit<PlacedRows, 'runs'>, run: RowRun): PlacedRows {
  if (known !== undefined && (known.type !== kind.type || known.add !== kind.add))
    throw new TypeError(`a tensor can't be stored as ${known.type} and as ${kind.type}`)
  return { ...kind, runs: [...(known?.runs ?? []), run] }
}

/** The dtype that the arithmetic ends with: blocks are made of float32. */
const dtypeOf: Readonly<Partial<Record<GgmlType, Dtype>>> = {
  F64: 'F64',
  I64: 'I64',
  I32: 'I32',
  I16: 'I16',
  I8: 'I8',
  F32: 'F32',
  F16: 'F16',
  BF16: 'BF16',
  Q8_0: 'F32',
  Q4_0: 'F32',
}

function placeTensor(tensor: PlannedTensor, rows: PlacedRows): PlannedTensor {
  const { name, shape, operation } = tensor
  const { type } = rows
  const dtype = dtypeOf[type]
  if (dtype === undefined) throw new TypeError(`${name}: nothing is written as ${type}`)
  const [run] = rows.runs
  const placed = { name, dtype, shape, file: 0, byteStart: run!.byteStart }
  const isPlain =
    rows.runs.length === 1 &&
    run!.interleaveHeads === undefined &&
    run!.rowCount === rowCountOf(shape) &&
    rows.add === undefined &&
    type === dtype
  if (isPlain) return { ...placed, operation }
  if (!isEncodedGgmlType(type)) throw new TypeError(`${name}: rows of ${type} are copied as they are`)
  return { ...placed, rows: { ...rows, type }, operation }
}
