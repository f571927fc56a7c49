import { defineIssues, usage } from '@mk/errors'

/** Values with which a method's formula has no answer. Models count from 0 in the order of the config, the base not among them. */
export const algebraRules = defineIssues({
  'weights-sum-to-zero': usage<{ readonly tensor: string; readonly weights: readonly number[] }>(
    ({ tensor, weights }) =>
      `${tensor}: the weights ${weights.join(', ')} sum to 0, so they cannot be normalized; change a weight or set normalize to false`,
  ),
  'density-out-of-range': usage<{
    readonly tensor: string
    readonly model: number
    readonly name: string
    readonly density: number
    readonly epsilon: number
  }>(
    ({ tensor, name, density, epsilon }) =>
      `${tensor}: density ${density} ± epsilon ${epsilon} of ${name} leaves the range between 0 and 1; both density − epsilon and density + epsilon must lie inside it`,
  ),
  antipodal: usage<{ readonly tensor: string }>(
    ({ tensor }) =>
      `${tensor}: the weighted directions of the models cancel out, so they have no mean on the sphere; change the weights`,
  ),
  /** `name` is what the user calls the model, and the base where it may be either. */
  'not-finite': usage<{ readonly tensor: string; readonly model: number | 'base'; readonly name: string }>(
    ({ tensor, name }) =>
      `${tensor}: ${name} holds NaN or infinite values (or some too large to square), so lengths and angles are undefined; repair the checkpoint`,
  ),
  'importance-invalid': usage<{
    readonly tensor: string
    readonly model: number
    readonly name: string
    readonly wrong: number
    readonly elementCount: number
  }>(
    ({ tensor, name, wrong, elementCount }) =>
      `${tensor}: ${wrong} of ${elementCount} values of the importance of ${name} are negative, infinite or NaN; expected finite numbers of at least 0`,
  ),
  'statistics-invalid': usage<{
    readonly tensor: string
    readonly model: number
    readonly name: string
    readonly problem: 'not finite' | 'a negative diagonal' | 'not symmetric'
  }>(
    ({ tensor, name, problem }) =>
      `${tensor}: the statistics of ${name} are ${problem === 'a negative diagonal' ? `a matrix with ${problem}` : problem}; expected XᵀX of the layer's inputs X`,
  ),
  'statistics-singular': usage<{ readonly tensor: string }>(
    ({ tensor }) =>
      `${tensor}: the statistics of all models together don't determine all of it (their sum is singular); collect them from more data, lower alpha, or raise damping`,
  ),
  'importance-too-large': usage<{ readonly tensor: string; readonly name: string }>(
    ({ tensor, name }) =>
      `${tensor}: the importance of ${name}, times its weight, is too large to be added up in float32; divide all importances, or all weights, by the same number`,
  ),
})
