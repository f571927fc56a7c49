import type { KernelResult } from '@mk/tensor/runtime'

/** Adds the results of a call to those of calls before, element by element. */
export function addTo(total: KernelResult, part: KernelResult): void {
  for (let output = 0; output < total.length; output++) {
    const [sum, values] = [total[output]!, part[output]!]
    if (sum instanceof Uint32Array) addWords(sum, values as Uint32Array)
    else addDoubles(sum, values as Float64Array)
  }
}

// Apart, since an engine that sees one kind of array makes quicker code: bins are many.

function addWords(total: Uint32Array, part: Uint32Array): void {
  for (let index = 0; index < total.length; index++) total[index]! += part[index]!
}

function addDoubles(total: Float64Array, part: Float64Array): void {
  for (let index = 0; index < total.length; index++) total[index]! += part[index]!
}
