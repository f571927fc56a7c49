export { RuntimeWasmError, type RuntimeWasmIssue } from './errors.ts'
export { generateModule } from './generator/kernel.ts'
export { createWasmRuntime, type WasmRuntimeOptions } from './runtime.ts'
