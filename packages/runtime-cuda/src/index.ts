export { RuntimeCudaError, type RuntimeCudaIssue } from './errors.ts'
export { createCudaRuntime, createOnnxCpuRuntime, type CudaRuntimeOptions, type OnnxRuntimeOptions } from './runtime.ts'
