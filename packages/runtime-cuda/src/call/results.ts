import { createSink, type KernelCall, type Program, type ProgramOutput } from '@mk/tensor/runtime'
import { dtypeBytes } from '@mk/safetensors'
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

export function createSinks(program: Program, call: KernelCall, library: OnnxRuntime, scratch: Scratch): Sink[] {
  let stores = 0
  return program.outputs.map((output, index) => {
    const name = names.output(index)
    switch (output.kind) {
      case 'store': {
        const store = stores++
        const type = inGraph(output.dtype)
        return type === undefined
          ? hostSink(output, output.value, store, name, call, library, scratch)
          : storeSink(type.wire, dtypeBytes(output.dtype), call.outputs[store]!, name, library, scratch)
      }
      case 'reduce':
        return output.reduce === 'sum'
          ? sumSink(output.per, index, call)
          : extremeSink(output.reduce, output.per, index, call)
      // There is no operator for the bits of a float on the CUDA provider, and to count there takes atomics.
      case 'histogram':
        return hostSink(output, output.value, 0, name, call, library, scratch)
      case 'locate':
        return hostSink(output, output.mask, 0, name, call, library, scratch)
      default:
        return output satisfies never
    }
  })
}

/** The graph ends with the elements; the rest is the reference runtime's. */
function hostSink(
  output: ProgramOutput,
  position: number,
  storeIndex: number,
  name: string,
  call: KernelCall,
  { Tensor }: OnnxRuntime,
  scratch: Scratch,
): Sink {
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
  wire: keyof typeof arrays,
  elementBytes: number,
  target: Uint8Array,
  name: string,
  { Tensor }: OnnxRuntime,
  scratch: Scratch,
): Sink {
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
      if (!inPlace) target.set(bytesOf(outputs[name]!.data), start * elementBytes)
    },
    finish: () => undefined,
  }
}

type Per = Extract<ProgramOutput, { kind: 'reduce' }>['per']

function emptyResult(per: Per, { elementCount, offset, columns }: KernelCall, nothing: number): Float64Array {
  const rows =
    elementCount === 0 ? 0 : Math.floor((offset + elementCount - 1) / columns) - Math.floor(offset / columns) + 1
  return new Float64Array(per === 'tensor' ? 1 : per === 'row' ? rows : columns).fill(nothing)
}

/** Index of a segment's first result. */
const firstResult = (per: Per, { offset, columns }: KernelCall, segment: Segment): number =>
  per === 'tensor' ? 0 : per === 'row' ? segment.firstRow - Math.floor(offset / columns) : segment.firstColumn

function sumSink(per: Per, index: number, call: KernelCall): Sink {
  const result = emptyResult(per, call, 0)
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
  const join = Math[reduce]
  const result = emptyResult(per, call, reduce === 'min' ? Infinity : -Infinity)
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
