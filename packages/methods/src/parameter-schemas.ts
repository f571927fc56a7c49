import { z } from 'zod'

/** A boolean that may also be written 0 or 1, as configurations in the wild do. */
export const flag = (value: boolean, description: string) =>
  z
    .preprocess((given) => (given === 0 || given === 1 ? given === 1 : given), z.boolean())
    .default(value)
    .describe(description)

export const weight = z.number().describe('Relative weight of the model.')
