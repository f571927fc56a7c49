import { createSink, type KernelCall, type Program, type ProgramOutput, reducers } from '@mk/tensor/runtime'
import { names } from '../graph/names.ts'
import { inGraph } from '../graph/stored-types.ts'
import type { OnnxRuntime, OnnxTensor, Tensors } from '../onnx-runtime.ts'
import { arrays, bytesOf, type Scratch, viewOf } from './scratch.ts'
import type { Segment } from './segments.ts'

/** What becomes of an output over the segments of a call, in ascending order. */
interface Sink {
  /** The tensors that a run is to write to; null lets it make one. */
  fetches(segment: Segment): Readonly<Record<string, OnnxTensor | null>>
  add(segment: Segment, outputs: Tensors): void
  finish(): Float64Array | Uint32Array | undefined
}

/** What the sinks of a call share. */
interface Receiving {
  readonly call: KernelCall
  readonly library: OnnxRuntime
  readonly scratch: Scratch
}

/** Makes what receives the outputs of a call's segments. */
export function createSinks(program: Program, receiving: Receiving): Sink[] {
  const { call } = receiving
  let stores = 0
  return program.outputs.map((output, index) => {
    switch (output.kind) {
      case 'store': {
        const store = stores++
        const wire = inGraph(output.dtype)?.wire
        return wire === undefined
          ? hostSink(receiving, output, index, store)
          : storeSink(receiving, wire, index, call.outputs[store]!)
      }
      case 'reduce':
        if (output.reduce === 'quickSum') return hostSink(receiving, output, index, 0)
        return output.reduce === 'sum'
          ? sumSink(output.per, index, call)
          : extremeSink(output.reduce, output.per, index, call)
      // There is no operator for the bits of a float on the CUDA provider, and to count there takes atomics.
      case 'histogram':
      case 'collect':
      case 'locate':
        return hostSink(receiving, output, index, 0)
      default:
        return output satisfies never
    }
  })
}

/** The graph ends with the elements; the rest is the reference runtime's. */
function hostSink(
  { call, library: { Tensor }, scratch }: Receiving,
  output: ProgramOutput,
  index: number,
  storeIndex: number,
): Sink {
  const name = names.output(index)
  const position = output.kind === 'locate' ? output.mask : output.value
  const sink = createSink(output, call, storeIndex)
  return {
    fetches: ({ elementCount, rows, columns }) => ({
      [name]:
        output.kind === 'locate'
          ? new Tensor('bool', scratch.take(name, Uint8Array, elementCount), [rows, columns])
          : new Tensor('float32', scratch.take(name, Float32Array, elementCount), [rows, columns]),
    }),
    add({ start, elementCount }, outputs) {
      const registers: (Float32Array | Uint8Array)[] = []
      registers[position] = outputs[name]!.data as Float32Array | Uint8Array
      sink.add(registers, { call, start, count: elementCount, offset: call.offset + start })
    },
    finish: sink.finish,
  }
}

function storeSink(
  { library: { Tensor }, scratch }: Receiving,
  wire: keyof typeof arrays,
  index: number,
  target: Uint8Array,
): Sink {
  const name = names.output(index)
  let inPlace = false
  return {
    fetches({ start, elementCount, rows, columns }) {
      const view = viewOf<Float32Array | Float64Array | Uint16Array>(arrays[wire], target, start, elementCount)
      inPlace = view !== undefined
      return {
        [name]: new Tensor(
          wire,
          view ?? scratch.take<Float32Array | Float64Array | Uint16Array>(name, arrays[wire], elementCount),
          [rows, columns],
        ),
      }
    },
    add({ start }, outputs) {
      if (!inPlace) target.set(bytesOf(outputs[name]!.data), start * arrays[wire].BYTES_PER_ELEMENT)
    },
    finish: () => undefined,
  }
}

type Per = Extract<ProgramOutput, { kind: 'reduce' }>['per']

function emptyResult(per: Per, { elementCount, offset, columns }: KernelCall, empty: number): Float64Array {
  const rows =
    elementCount === 0 ? 0 : Math.floor((offset + elementCount - 1) / columns) - Math.floor(offset / columns) + 1
  return new Float64Array(per === 'tensor' ? 1 : per === 'row' ? rows : columns).fill(empty)
}

/** Index of a segment's first result. */
const firstResult = (per: Per, { offset, columns }: KernelCall, segment: Segment): number =>
  per === 'tensor' ? 0 : per === 'row' ? segment.firstRow - Math.floor(offset / columns) : segment.firstColumn

function sumSink(per: Per, index: number, call: KernelCall): Sink {
  const result = emptyResult(per, call, reducers.sum.empty)
  return {
    fetches: () => ({ [names.output(index)]: null }),
    add(segment, outputs) {
      const sums = outputs[names.output(index)]!.data as Float64Array
      const first = firstResult(per, call, segment)
      // Accumulators start at +0, so that a sum of −0 is +0.
      if (per === 'column') for (let i = 0; i < sums.length; i++) result[first + i]! += sums[i]!
      else
        for (let i = 0; i < sums.length; i += 4)
          result[first + i / 4]! += sums[i]! + 0 + sums[i + 2]! + (sums[i + 1]! + sums[i + 3]!)
    },
    finish: () => result,
  }
}

function extremeSink(reduce: 'min' | 'max', per: Per, index: number, call: KernelCall): Sink {
  const { empty, join } = reducers[reduce]
  const result = emptyResult(per, call, empty)
  return {
    fetches: () => ({ [names.output(index)]: null, [names.hasNaN(index)]: null }),
    add(segment, outputs) {
      const extremes = outputs[names.output(index)]!.data as Float32Array
      const hasNaN = outputs[names.hasNaN(index)]!.data as Float32Array
      const first = firstResult(per, call, segment)
      for (let i = 0; i < extremes.length; i++)
        result[first + i] = join(result[first + i]!, hasNaN[i] ? NaN : extremes[i]!)
    },
    finish: () => result,
  }
}
