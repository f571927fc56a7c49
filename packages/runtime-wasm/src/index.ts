export { RuntimeWasmError, type RuntimeWasmIssue } from './errors.ts'
export { generateModule } from './generator/generate-module.ts'
export { createWasmRuntime, type WasmRuntimeOptions } from './runtime.ts'
