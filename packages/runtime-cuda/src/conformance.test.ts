import { runConformance } from '@mk/tensor/conformance'
import { describe, expect, it } from 'vitest'
import { createCudaRuntime, createOnnxCpuRuntime } from './runtime.ts'

runConformance(() => createOnnxCpuRuntime(), { describe, it, expect }, { anyZeroSign: true, productTolerance: 1e-5 })

const hasCuda = await createCudaRuntime().then(
  (runtime) => runtime.close().then(() => true),
  () => false,
)
describe.each(hasCuda ? ['CUDA'] : [])('on %s', () => {
  runConformance(
    () => createCudaRuntime(),
    { describe, it, expect },
    { anyZeroSign: true, tolerance: { absolute: 1e-9, relative: 1e-9 }, productTolerance: 1e-5 },
  )
})
