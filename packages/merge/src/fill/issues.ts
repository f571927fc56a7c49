import { defineIssues, usage } from '@mk/errors'
import { listNames } from '../plan/list-names.ts'

/** A model that doesn't fit into a larger one. */
export const fillRules = defineIssues({
  'fill-no-place': usage<{
    readonly part: string
    readonly whole: string
    readonly prefix?: string
    readonly names: readonly string[]
  }>(
    ({ part, whole, prefix, names }) =>
      `no tensor of ${part} has a place in ${whole}${prefix === undefined ? '' : ` under '${prefix}'`}; ${part} has ${listNames(names)}, expected tensors of ${whole} that end alike`,
  ),
  'fill-sizes': usage<{
    readonly part: string
    readonly whole: string
    readonly tensors: readonly {
      readonly name: string
      readonly shape: readonly number[]
      readonly place: string
      readonly expected: readonly number[]
    }[]
  }>(
    ({ part, whole, tensors }) =>
      `tensors of ${part} have other sizes than what they are to replace in ${whole}: ${tensors
        .slice(0, shownTensors)
        .map(
          ({ name, shape, place, expected }) =>
            `${name} is [${shape.join(', ')}], expected [${expected.join(', ')}] as ${place}`,
        )
        .join('; ')}${tensors.length > shownTensors ? `; and ${tensors.length - shownTensors} more` : ''}`,
  ),
  'fill-dtypes': usage<{
    readonly part: string
    readonly name: string
    readonly dtype: string
    readonly place: string
    readonly expected: string
  }>(
    ({ part, name, dtype, place, expected }) =>
      `${name} of ${part} is ${dtype}, expected ${expected} as ${place}: integers and floats are not made of one another`,
  ),
})

const shownTensors = 5
