import { runConformance } from '@mk/tensor/conformance'
import { describe, expect, it } from 'vitest'
import { createRuntimeThatSpecializes, createWasmRuntime } from './runtime.ts'

runConformance(() => createWasmRuntime(), { describe, it, expect })

describe('with code for what each call brings', () => {
  runConformance(() => createRuntimeThatSpecializes({}, 1), { describe, it, expect })
})
