export { type GpuMode, gpuModes } from './open-gpu.ts'
export { createGpuRuntime, type GpuRuntimeOptions } from './runtime.ts'
