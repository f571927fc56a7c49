/** The part of gpu.js that is used here. */
export interface GpuJs {
  readonly GPU: GpuConstructor
}

export interface GpuConstructor {
  new (settings: { readonly mode: string }): GpuObject
  readonly isHeadlessGLSupported: boolean
  readonly isWebGL2Supported: boolean
  readonly isWebGLSupported: boolean
  readonly isWebAssemblySupported: boolean
}

export interface GpuObject {
  createKernel(
    source: string,
    settings: { readonly output: readonly number[]; readonly precision: 'single' },
  ): GpuKernel
  destroy(): Promise<void>
}

/** One value per thread, in rows where the output has two dimensions. WebGPU kernels answer later, the others at once. */
export type GpuKernel = (data: Float32Array, numbers: Float32Array) => Values | Promise<Values>
type Values = Float32Array | readonly Float32Array[]

/** How the optional packages are imported. */
export interface Loaders {
  gpuJs(): Promise<unknown>
  webgpu(): Promise<unknown>
}

export const loaders: Loaders = {
  gpuJs: () => import('gpu.js'),
  webgpu: () => import('webgpu'),
}
