import { runConformance } from '@mk/tensor/conformance'
import { describe, expect, it } from 'vitest'
import { createWasmRuntime } from './runtime.ts'

runConformance(() => createWasmRuntime(), { describe, it, expect })
