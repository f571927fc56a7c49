import type { Dtype } from '@mk/safetensors'
import { assembleProgram } from './assemble-program.ts'
import { flatten } from './flatten.ts'
import type { LowerRequest, TimesNode } from './lower-request.ts'
import type { Program } from './program.ts'

/** A program and what its slots hold in every call of one stage. */
export interface Lowered {
  readonly program: Program
  /** Equal only for programs that are equal: for caches of what is made of them. */
  readonly key: string
  readonly scalars: readonly number[]
  readonly vectors: readonly Float32Array[]
  /** What is to be computed for the input slots after those of the tensor, in F32; absent where there is none. */
  readonly products?: readonly TimesNode[]
}

/**
 * Flattens expressions to a program in which every common part stands once.
 *
 * Parts are common if they do the same to the same inputs. Numbers, vectors, random keys and `before` are common only
 * if they are the same object: the program never depends on their values, so that expressions built by the same code
 * with other numbers share one compiled kernel.
 * @throws TensorError for a mask in a value's place or the reverse, an input slot that isn't in `inputDtypes`, or 'product-place'
 */
export function lower(request: LowerRequest, inputDtypes: readonly Dtype[]): Lowered {
  const { steps, scalars, vectors, products } = flatten(request, inputDtypes)
  const key = `${inputDtypes.join(' ')} ${steps.join(' ')}`
  let program = programs.get(key)
  if (program === undefined) {
    if (programs.size === mostPrograms) programs.clear()
    programs.set(key, (program = assembleProgram(steps, inputDtypes)))
  }
  return { program, key, scalars, vectors, ...(products.length > 0 && { products }) }
}

/** Those made last: tensor after tensor asks for the same few. */
const programs = new Map<string, Program>()
const mostPrograms = 256
