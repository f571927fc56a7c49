export { createCudaRuntime, createOnnxCpuRuntime, type CudaRuntimeOptions, type OnnxRuntimeOptions } from './runtime.ts'
