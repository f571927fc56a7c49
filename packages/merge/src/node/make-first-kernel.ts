import { generateModule } from '@mk/runtime-wasm'
import type { Program } from '@mk/tensor/runtime'

/** The second input, times a number, added to the first. */
const program: Program = {
  inputs: ['BF16', 'BF16'],
  scalarCount: 1,
  vectors: [],
  instructions: [
    { op: 'input', slot: 0 },
    { op: 'input', slot: 1 },
    { op: 'scalar', slot: 0 },
    { op: 'mul', a: 1, b: 2 },
    { op: 'add', a: 0, b: 3 },
  ],
  outputs: [{ kind: 'store', value: 4, dtype: 'BF16' }],
}

/**
 * Makes the code of a kernel that nobody uses: the first in a thread takes ten times as long as later ones, and a thread that was started
 * ahead has the time while the merge is planned.
 */
export const makeFirstKernel = (): void => void generateModule(program, 1)
