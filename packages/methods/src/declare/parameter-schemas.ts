import type { Expression } from '@mk/tensor'
import * as z from 'zod/mini'

/** Declares a boolean that may also be written 0 or 1, as configurations in the wild do. */
export const flag = (value: boolean, description: string) =>
  z
    ._default(
      z.pipe(
        z.transform((given: unknown) => (given === 0 || given === 1 ? given === 1 : given)),
        z.boolean(),
      ),
      value,
    )
    .check(z.describe(description))

/** What a share is: `z.meta(share)` makes a value that is allowed but outside of it worth a warning. */
export const share = { usual: { min: 0, max: 1 } }

/** The usual range of a factor on what is added to a model. */
export const moderate = { usual: { min: -10, max: 10 } }

/** `z.meta(byNorm)` lets a parameter of each model take the name of a way to find it from norms, as weights do. */
export const byNorm = { byNorm: true }

/** The schema of a model's weight. */
export const weight = z
  .number()
  .check(z.describe('How much of the model goes in, relative to the others.'), z.meta(byNorm))

/** The schema of a weight that is a factor on a task vector, which is hardly large. */
export const factor = z
  .number()
  .check(z.describe('Factor on the change that the model makes to the base.'), z.meta({ ...moderate, ...byNorm }))

/** The schema of the magnitude from which on an element of a task vector counts as changed, for the methods of the RAM family. */
export const activityThreshold = z
  ._default(z.number().check(z.minimum(0)), 1e-5)
  .check(z.describe('Changes of the base up to this size count as none.'))

/** The schema of the factor on all that a method adds to the base. */
export const lambda = z
  ._default(z.number(), 1)
  .check(z.describe('Factor on all that is added to the base: 0 is the base, above 1 exaggerates.'), z.meta(moderate))

/**
 * The schema of a parameter of each model that names a file of tensors: in a recipe it is a path, and `merge` gets an expression, the
 * tensor of that file that is called as the model's own.
 */
export const tensorsOfFile = (description: string) =>
  z
    .pipe(
      z.string(),
      z.transform((file: string): Expression => file as unknown as Expression),
    )
    .check(z.describe(description), z.meta({ tensors: 'elements' }))

/**
 * The schema of a parameter of each model that names a file of square matrices, one for each matrix that is merged, of as many columns: in
 * a recipe it is a path, and `merge` gets what `context.readMatrix` reads; undefined where no file has any for the tensor at hand.
 */
export const matricesOfFile = (description: string) =>
  z
    .pipe(
      z.string(),
      z.transform((file: string): Expression | undefined => file as unknown as Expression),
    )
    .check(z.describe(description), z.meta({ tensors: 'matrix' }))
