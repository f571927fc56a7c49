// Milliseconds from a program to a kernel that can be called, for linear combinations of more and more models.
import { createWasmRuntime } from '@mk/runtime-wasm'
import { add, input, mul } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'

for (const models of [2, 3, 4, 8, 16]) {
  const value = Array.from({ length: models }, (_, slot) => mul(input(slot), 0.3)).reduce((a, b) => add(a, b))
  const { program } = lower({ stores: [{ value, dtype: 'BF16' }] }, Array(models).fill('BF16'))
  const runtime = createWasmRuntime()
  const start = performance.now()
  await runtime.compile(program)
  console.log(`compile a mean of ${models} models: ${(performance.now() - start).toFixed(1)} ms`)
}
