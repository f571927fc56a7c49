import { type ConformanceOptions, runConformance, type Skip } from '@mk/tensor/conformance'
import { needsWholeRows } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import type { GpuMode } from './open-gpu.ts'
import { createGpuRuntime } from './runtime.ts'

const unsorted: Skip = {
  cases: ({ program }) => needsWholeRows(program),
  reason: 'these kernels do not sort',
}

const noProducts: Skip = { cases: 'product', reason: 'left to another runtime by withFallback' }

/** Only exp and log are not the reference's to the bit where gpu.js runs on the CPU. */
const onCpu: ConformanceOptions = { tolerance: { absolute: 3e-7, relative: 3e-7 }, skip: [unsorted, noProducts] }
/** Whole numbers are exact on every GPU. */
const onWebGpu: ConformanceOptions = { skip: [unsorted, noProducts] }
/** GPUs that gpu.js reaches by GLSL. */
const onGpu: ConformanceOptions = {
  tolerance: { absolute: 4e-6, relative: 4e-6 },
  skip: [
    unsorted,
    noProducts,
    { cases: 'operation: log', reason: 'GPUs take subnormal numbers for zero, or get their logarithm wrong' },
    { cases: 'random: program ec26ddeb', reason: 'shader compilers take x - x for 0, also where x is infinite' },
    { cases: 'random: program 6d2cca26', reason: 'shader compilers take x - x for 0, also where x is infinite' },
    { cases: 'random: program dce9a861', reason: 'a difference magnifies the error of log past the tolerance' },
    { cases: 'random: program 4be3c4fe', reason: 'the logarithm of a subnormal number' },
  ],
}

/** GPU_MODES=webgpu runs the suite where there is a GPU. */
const modes = (process.env['GPU_MODES']?.split(',') ?? ['webasm', 'cpu']) as GpuMode[]
for (const mode of modes) {
  const options = mode === 'webgpu' ? onWebGpu : mode === 'webasm' || mode === 'cpu' ? onCpu : onGpu
  describe(`mode ${mode}`, () => {
    runConformance(() => createGpuRuntime({ mode }), { describe, it, expect }, options)
  })
}
