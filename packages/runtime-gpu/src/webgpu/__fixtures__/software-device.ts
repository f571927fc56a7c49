import type { WebGpuBuffer, WebGpuDevice } from '../web-gpu.ts'
import { type Shader, translateWgsl } from './translate-wgsl.ts'

interface Buffer extends WebGpuBuffer {
  readonly words: Uint32Array<ArrayBuffer>
}

/** A device that runs the shaders of this package in JavaScript, and what became of its buffers. */
export interface SoftwareDevice extends WebGpuDevice {
  /** Bytes of the buffers that have not been destroyed. */
  heldBytes(): number
  /** Has an error that WebGPU tells of later. */
  fail(message: string): void
}

/** Makes such a device, which keeps the rules on buffers that are mapped or destroyed. */
export function createSoftwareDevice(): SoftwareDevice {
  const held = new Set<Buffer>()
  const use = (buffer: WebGpuBuffer, mapped?: WebGpuBuffer): Uint32Array<ArrayBuffer> => {
    if (!held.has(buffer as Buffer)) throw new Error('used after it was destroyed')
    if (buffer === mapped) throw new Error('used while mapped')
    return (buffer as Buffer).words
  }
  let lose: (how: { reason: string; message: string }) => void = () => {}
  let mapped: WebGpuBuffer | undefined
  const device: SoftwareDevice = {
    onuncapturederror: null,
    lost: new Promise((resolve) => {
      lose = resolve
    }),
    heldBytes: () => [...held].reduce((sum, { size }) => sum + size, 0),
    fail: (message) => device.onuncapturederror?.({ error: { message } }),
    destroy: () => lose({ reason: 'destroyed', message: '' }),
    createBuffer({ size }) {
      const buffer: Buffer = {
        size,
        words: new Uint32Array(size / 4),
        async mapAsync() {
          use(buffer, mapped)
          mapped = buffer
        },
        getMappedRange: (start, byteLength) => buffer.words.buffer.slice(start, start + byteLength),
        unmap: () => {
          mapped = undefined
        },
        destroy: () => held.delete(buffer),
      }
      held.add(buffer)
      return buffer
    },
    createShaderModule: ({ code }) => translateWgsl(code),
    createBindGroupLayout: ({ entries }) => entries,
    createPipelineLayout: (wanted) => wanted,
    createComputePipelineAsync: async ({ compute }) => compute.module,
    createBindGroup: ({ entries }) => entries.map(({ resource }) => resource.buffer),
    createCommandEncoder() {
      const commands: (() => void)[] = []
      let shader: Shader
      let bound: readonly WebGpuBuffer[]
      return {
        beginComputePass: () => ({
          setPipeline: (pipeline) => (shader = pipeline as Shader),
          setBindGroup: (_, group) => (bound = group as readonly WebGpuBuffer[]),
          dispatchWorkgroups: (count) =>
            void commands.push(() => {
              const [data, numbers, code, results] = bound.map((buffer) => use(buffer, mapped)) as [
                Uint32Array,
                Uint32Array,
                Uint32Array,
                Uint32Array,
              ]
              const run = shader({ data, numbers, code, results })
              for (let x = 0; x < count * 64; x++) run({ x })
            }),
          end() {},
        }),
        copyBufferToBuffer: (from, start, to, into, byteLength) =>
          void commands.push(() =>
            use(to, mapped).set(use(from, mapped).subarray(start / 4, (start + byteLength) / 4), into / 4),
          ),
        finish: () => commands,
      }
    },
    queue: {
      writeBuffer: (buffer, start, data) =>
        use(buffer, mapped).set(new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4), start / 4),
      submit: (lists) => (lists as (() => void)[][]).flat().forEach((command) => command()),
    },
  }
  return device
}
