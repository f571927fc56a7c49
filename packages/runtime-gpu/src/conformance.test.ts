import { conformanceCases, type ConformanceOptions, runConformance } from '@mk/tensor/conformance'
import { describe, expect, it } from 'vitest'
import type { GpuMode } from './open-gpu.ts'
import { createGpuRuntime } from './runtime.ts'

const withRank = conformanceCases().filter(({ program }) => program.instructions.some(({ op }) => op === 'rank'))
const unsorted = Object.fromEntries(withRank.map(({ name }) => [name, 'gpu.js kernels do not sort']))

/** Only exp and log are not the reference's to the bit where gpu.js runs on the CPU. */
const onCpu: ConformanceOptions = { tolerance: { absolute: 3e-7, relative: 3e-7 }, skip: unsorted }
const onGpu: ConformanceOptions = {
  tolerance: { absolute: 4e-6, relative: 4e-6 },
  skip: {
    ...unsorted,
    'operation: log': 'GPUs take subnormal numbers for zero, or get their logarithm wrong',
    'random: program 86': 'shader compilers take x - x for 0, also where x is infinite',
    'random: program 111': 'shader compilers take x - x for 0, also where x is infinite',
    'random: program 122': 'a difference magnifies the error of log past the tolerance',
    'random: program 126': 'the logarithm of a subnormal number',
  },
}

/** GPU_MODES=webgpu runs the suite where there is a GPU. */
const modes = (process.env['GPU_MODES']?.split(',') ?? ['webasm', 'cpu']) as GpuMode[]
for (const mode of modes) {
  const options = mode === 'webasm' || mode === 'cpu' ? onCpu : onGpu
  describe(`mode ${mode}`, () => {
    runConformance(() => createGpuRuntime({ mode }), { describe, it, expect }, options)
  })
}
