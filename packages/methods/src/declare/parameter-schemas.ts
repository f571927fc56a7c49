import { z } from 'zod'

/** Declares a boolean that may also be written 0 or 1, as configurations in the wild do. */
export const flag = (value: boolean, description: string) =>
  z
    .preprocess((given) => (given === 0 || given === 1 ? given === 1 : given), z.boolean())
    .default(value)
    .describe(description)

/** The schema of a model's weight. */
export const weight = z.number().describe('Relative weight of the model.')

/** The schema of the magnitude from which on an element of a task vector counts as changed, for the methods of the RAM family. */
export const activityThreshold = z
  .number()
  .min(0)
  .default(1e-5)
  .describe('A task vector is active where it is larger than this.')
