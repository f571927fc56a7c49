import type { Lowered } from '@mk/tensor/runtime'
import type { KernelWork } from './task.ts'

/** Makes of a lowered program what workers carry out. @param columns of the tensor seen as a matrix */
export const kernelWork = ({ program, key, scalars, vectors }: Lowered, columns: number): KernelWork => ({
  kind: 'kernel',
  program,
  programKey: key,
  scalars,
  vectors,
  columns,
})
