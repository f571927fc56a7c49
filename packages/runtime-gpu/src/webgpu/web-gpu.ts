/** The part of WebGPU that is used here, as the specification has it. */
export interface WebGpu {
  requestAdapter(options?: { readonly powerPreference: 'high-performance' }): Promise<WebGpuAdapter | null>
}

interface WebGpuAdapter {
  readonly limits: Limits
  requestDevice(wanted: { readonly requiredLimits: Limits }): Promise<WebGpuDevice>
}

interface Limits {
  readonly maxStorageBufferBindingSize: number
  readonly maxBufferSize: number
}

export interface WebGpuDevice {
  readonly queue: {
    writeBuffer(buffer: WebGpuBuffer, at: number, data: ArrayBufferView): void
    submit(commands: readonly unknown[]): void
  }
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null
  createBuffer(wanted: { readonly size: number; readonly usage: number }): WebGpuBuffer
  createShaderModule(wanted: { readonly code: string }): unknown
  createBindGroupLayout(wanted: {
    readonly entries: readonly {
      readonly binding: number
      readonly visibility: number
      readonly buffer: { readonly type: 'read-only-storage' | 'storage' }
    }[]
  }): unknown
  createPipelineLayout(wanted: { readonly bindGroupLayouts: readonly unknown[] }): unknown
  createComputePipelineAsync(wanted: {
    readonly layout: unknown
    readonly compute: { readonly module: unknown; readonly entryPoint: string }
  }): Promise<unknown>
  createBindGroup(wanted: {
    readonly layout: unknown
    readonly entries: readonly { readonly binding: number; readonly resource: { readonly buffer: WebGpuBuffer } }[]
  }): unknown
  createCommandEncoder(): {
    beginComputePass(): {
      setPipeline(pipeline: unknown): void
      setBindGroup(index: number, group: unknown): void
      dispatchWorkgroups(count: number): void
      end(): void
    }
    copyBufferToBuffer(from: WebGpuBuffer, start: number, to: WebGpuBuffer, at: number, byteLength: number): void
    finish(): unknown
  }
  destroy(): void
}

export interface WebGpuBuffer {
  readonly size: number
  mapAsync(mode: number, start: number, byteLength: number): Promise<void>
  getMappedRange(start: number, byteLength: number): ArrayBuffer
  unmap(): void
  destroy(): void
}

/** Numbers of the specification: they are globals only where a browser has WebGPU. */
export const USAGE = { mapRead: 0x1, copyFrom: 0x4, copyTo: 0x8, storage: 0x80 } as const
export const MAP_READ = 0x1
export const COMPUTE_STAGE = 0x4
