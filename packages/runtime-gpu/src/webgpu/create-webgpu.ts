import type { GpuKernel } from '../gpu-js.ts'
import type { EncodedProgram } from './encode-program.ts'
import { shaderOf, WORKGROUP } from './shader.ts'
import { COMPUTE_STAGE, MAP_READ, USAGE, type WebGpu, type WebGpuBuffer, type WebGpuDevice } from './web-gpu.ts'

/** Opens a device of its own on the best adapter, if there is one. */
export async function openDevice(webgpu: WebGpu): Promise<WebGpuDevice | undefined> {
  const adapter = await webgpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) return undefined
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits
  return adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } })
}

/** Fewest registers that a shader is compiled for; more, as a power of two, where a program takes more. */
const REGISTERS = 64

/** Runs encoded programs on a device. */
export interface WebGpuObject {
  /** Makes the kernel of a program for rows of one length; results have one row or, where there are more, several. */
  createKernel(program: EncodedProgram, rowLength: number, rowCount: number): GpuKernel
  destroy(): Promise<void>
}

/**
 * Makes what runs programs on a device, which it owns. Its kernels share their buffers, which grow to what the
 * longest call takes: they must run one after the other, and a result is there until the next call.
 * @param keep what must live as long as the device
 */
export function createWebGpu(device: WebGpuDevice, keep: unknown): WebGpuObject {
  let problem: string | undefined
  device.onuncapturederror = ({ error }) => {
    problem ??= error.message
  }
  void device.lost.then(({ reason, message }) => {
    if (reason !== 'destroyed') problem ??= `the device is lost: ${message}`
  })
  const buffers = new Map<string, WebGpuBuffer>()
  /** The buffer of that name with room for so many bytes. */
  const bufferOf = (name: string, usage: number, byteLength: number): WebGpuBuffer => {
    const known = buffers.get(name)
    if (known !== undefined && known.size >= byteLength) return known
    known?.destroy()
    const buffer = device.createBuffer({ size: byteLength, usage })
    buffers.set(name, buffer)
    return buffer
  }
  const groupLayout = device.createBindGroupLayout({
    entries: (['read-only-storage', 'read-only-storage', 'read-only-storage', 'storage'] as const).map(
      (type, binding) => ({
        binding,
        visibility: COMPUTE_STAGE,
        buffer: { type },
      }),
    ),
  })
  const layout = device.createPipelineLayout({ bindGroupLayouts: [groupLayout] })
  const pipelines = new Map<number, Promise<unknown>>()
  const pipelineOf = (registers: number): Promise<unknown> => {
    let pipeline = pipelines.get(registers)
    if (pipeline === undefined) {
      const compute = { module: device.createShaderModule({ code: shaderOf(registers) }), entryPoint: 'main' }
      pipelines.set(registers, (pipeline = device.createComputePipelineAsync({ layout, compute })))
    }
    return pipeline
  }
  let received = new Float32Array(0)

  return {
    createKernel({ code, registers }, rowLength, rowCount) {
      const byteLength = 4 * rowLength * rowCount
      const registersThere = Math.max(REGISTERS, 2 ** Math.ceil(Math.log2(registers)))
      return async (data, numbers) => {
        const pipeline = await pipelineOf(registersThere)
        const parameters = new Uint32Array(2 + numbers.length)
        parameters.set([rowLength, code.length / 4])
        parameters.set(new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length), 2)
        const bound = [
          bufferOf('data', USAGE.storage | USAGE.copyTo, data.byteLength),
          bufferOf('numbers', USAGE.storage | USAGE.copyTo, parameters.byteLength),
          bufferOf('code', USAGE.storage | USAGE.copyTo, code.byteLength),
          bufferOf('results', USAGE.storage | USAGE.copyFrom, byteLength),
        ] as const
        const back = bufferOf('back', USAGE.mapRead | USAGE.copyTo, byteLength)
        device.queue.writeBuffer(bound[0], 0, data)
        device.queue.writeBuffer(bound[1], 0, parameters)
        device.queue.writeBuffer(bound[2], 0, code)
        const encoder = device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        pass.setPipeline(pipeline)
        pass.setBindGroup(
          0,
          device.createBindGroup({
            layout: groupLayout,
            entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
          }),
        )
        pass.dispatchWorkgroups(Math.ceil(rowLength / WORKGROUP))
        pass.end()
        encoder.copyBufferToBuffer(bound[3], 0, back, 0, byteLength)
        device.queue.submit([encoder.finish()])
        await back.mapAsync(MAP_READ, 0, byteLength)
        if (received.length < rowLength * rowCount) received = new Float32Array(rowLength * rowCount)
        received.set(new Float32Array(back.getMappedRange(0, byteLength)))
        back.unmap()
        if (problem !== undefined) throw new Error(`WebGPU: ${problem}`)
        const rows = Array.from({ length: rowCount }, (_, row) =>
          received.subarray(row * rowLength, (row + 1) * rowLength),
        )
        return rowCount === 1 ? rows[0]! : rows
      }
    },
    async destroy() {
      for (const buffer of buffers.values()) buffer.destroy()
      buffers.clear()
      pipelines.clear()
      device.destroy()
      await device.lost
      void keep
    },
  }
}
