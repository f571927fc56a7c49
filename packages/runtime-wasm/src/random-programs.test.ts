import { createDice, randomCall, randomProgram } from '@mk/tensor/conformance'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import { findDifference } from './__fixtures__/compare.ts'
import { createRuntimeThatSpecializes } from './runtime.ts'

const reference = createReferenceRuntime()

it('gives bit for bit what the reference gives, for 400 random programs', async () => {
  const runtimes = [1, Infinity].map((elements) => createRuntimeThatSpecializes({ memoryBytes: 2 ** 24 }, elements))
  for (let seed = 0; seed < Number(process.env['RANDOM_PROGRAMS'] ?? 400); seed++) {
    const dice = createDice(seed)
    const program = randomProgram(dice)
    for (let call = 0; call < 3; call++) {
      const difference = await findDifference(program, randomCall(dice, program), reference, runtimes[seed % 2]!)
      expect(difference && `seed ${seed}: ${difference}`).toBeUndefined()
    }
  }
})
