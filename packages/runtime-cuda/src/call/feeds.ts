import { decode } from '@mk/tensor'
import { fmix32, type KernelCall, type Program, uniformHigh, usedInputs } from '@mk/tensor/runtime'
import { names } from '../graph/names.ts'
import { inGraph } from '../graph/stored-types.ts'
import type { OnnxRuntime, OnnxTensor, Tensors } from '../onnx-runtime.ts'
import { arrays, bytesOf, type Scratch, viewOf } from './scratch.ts'
import type { Segment } from './segments.ts'

type Feed = (call: KernelCall, segment: Segment) => readonly (readonly [name: string, tensor: OnnxTensor])[]

/** Plans what a graph is fed for a segment of a call. */
export function createFeeds(
  program: Program,
  scalars: readonly number[],
  { Tensor }: OnnxRuntime,
  scratch: Scratch,
): (call: KernelCall, segment: Segment) => Tensors {
  const integers = (...values: number[]) => new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
  const floats = (values: Float32Array, ...dims: number[]) => new Tensor('float32', values, dims)
  const counting = (name: string, count: number) => {
    const numbers = scratch.take(name, Float32Array, count)
    for (let i = 0; i < count; i++) numbers[i] = i
    return numbers
  }
  const uses = (...ops: string[]) => program.instructions.some(({ op }) => ops.includes(op))
  const feeds: Feed[] = [(_, { rows, columns }) => [[names.shape, integers(rows, columns)]]]

  for (const slot of usedInputs(program)) {
    const dtype = program.inputs[slot]!
    const wire = inGraph(dtype)?.wire
    feeds.push(({ inputs }, { start, elementCount, rows, columns }) => {
      const name = names.input(slot)
      const bytes = inputs[slot]!
      if (wire === undefined) {
        const decoded = scratch.take(name, Float32Array, elementCount)
        decode(dtype, bytes, start, decoded)
        return [[name, floats(decoded, rows, columns)]]
      }
      let elements: Float32Array | Float64Array | Uint16Array | undefined = viewOf<
        Float32Array | Float64Array | Uint16Array
      >(arrays[wire], bytes, start, elementCount)
      if (elements === undefined) {
        elements = scratch.take<Float32Array | Float64Array | Uint16Array>(name, arrays[wire], elementCount)
        bytesOf(elements).set(
          bytes.subarray(start * elements.BYTES_PER_ELEMENT, (start + elementCount) * elements.BYTES_PER_ELEMENT),
        )
      }
      return [[name, new Tensor(wire, elements, [rows, columns])]]
    })
  }
  if (scalars.length > 0)
    feeds.push((call) => [
      [
        names.scalars,
        floats(
          Float32Array.from(scalars, (slot) => call.scalars[slot]!),
          scalars.length,
        ),
      ],
    ])
  program.vectors.forEach((per, slot) => {
    feeds.push(({ vectors }, { rows, columns, firstRow, firstColumn }) => [
      [
        names.vector(slot),
        per === 'row'
          ? floats(vectors[slot]!.subarray(firstRow, firstRow + rows), rows, 1)
          : floats(vectors[slot]!.subarray(firstColumn, firstColumn + columns), 1, columns),
      ],
    ])
  })
  if (uses('before', 'rank'))
    feeds.push((_, { columns }) => [[names.columnNumbers, floats(counting(names.columnNumbers, columns), 1, columns)]])
  if (uses('before'))
    feeds.push((_, { rows }) => [[names.rowNumbers, floats(counting(names.rowNumbers, rows), rows, 1)]])
  if (uses('rank')) feeds.push((_, { columns }) => [[names.columnCount, integers(columns)]])
  program.instructions.forEach((instruction, position) => {
    if (instruction.op === 'before') {
      feeds.push((call, { start, elementCount, columns }) => {
        const end =
          Math.min(Math.max(0, Math.ceil(call.scalars[instruction.slot]!) - call.offset - start), elementCount) || 0
        const row = Math.floor(end / columns)
        return [
          [names.endRow(position), floats(Float32Array.of(row), 1)],
          [names.endColumn(position), floats(Float32Array.of(end - row * columns), 1)],
        ]
      })
    } else if (instruction.op === 'uniform') {
      feeds.push((call, { start, elementCount, rows, columns }) => {
        const numbers = scratch.take(names.uniform(position), Float32Array, elementCount)
        fillUniform(numbers, call.scalars[instruction.high]!, call.scalars[instruction.low]!, call.offset + start)
        return [[names.uniform(position), floats(numbers, rows, columns)]]
      })
    }
  })
  const sums = new Set(
    program.outputs.flatMap((output) => (output.kind === 'reduce' && output.reduce === 'sum' ? [output.per] : [])),
  )
  const padding = (count: number) => (4 - (count % 4)) % 4
  if (sums.has('tensor')) feeds.push((_, { elementCount }) => [[names.tensorPads, integers(0, padding(elementCount))]])
  if (sums.has('row')) feeds.push((_, { columns }) => [[names.rowPads, integers(0, 0, 0, padding(columns))]])
  return (call, segment) => Object.fromEntries(feeds.flatMap((feed) => feed(call, segment)))
}

/** Computes `uniformAt` of @mk/tensor/runtime for consecutive elements. The CUDA provider has no operators on bits, so this is the host's. */
function fillUniform(into: Float32Array, high: number, low: number, offset: number): void {
  for (let i = 0; i < into.length;) {
    const index = offset + i
    const mixed = uniformHigh({ high, low }, index)
    const end = Math.min(into.length, i + 2 ** 32 - (index % 2 ** 32))
    for (let word = (index % 2 ** 32) + low; i < end; i++, word++)
      into[i] = (fmix32(fmix32(word) ^ mixed) >>> 8) * 2 ** -24
  }
}
