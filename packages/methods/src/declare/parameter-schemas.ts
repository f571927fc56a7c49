import { z } from 'zod'

/** Declares a boolean that may also be written 0 or 1, as configurations in the wild do. */
export const flag = (value: boolean, description: string) =>
  z
    .preprocess((given) => (given === 0 || given === 1 ? given === 1 : given), z.boolean())
    .default(value)
    .describe(description)

/** What a share is: `.meta(share)` makes a value that is allowed but outside of it worth a warning. */
export const share = { usual: { min: 0, max: 1 } }

/** The usual range of a factor on what is added to a model. */
export const moderate = { usual: { min: -10, max: 10 } }

/** The schema of a model's weight. */
export const weight = z.number().describe('How much of the model goes in, relative to the others.')

/** The schema of the magnitude from which on an element of a task vector counts as changed, for the methods of the RAM family. */
export const activityThreshold = z
  .number()
  .min(0)
  .default(1e-5)
  .describe('Changes of the base up to this size count as none.')
