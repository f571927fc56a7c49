/** What went wrong, for callers to test by `code`. Models count from 0 in the order of the config, the base not among them. */
export type MethodIssue =
  | { readonly code: 'unknown-method'; readonly method: string; readonly known: readonly string[] }
  | { readonly code: 'needs-base'; readonly method: string }
  | {
      readonly code: 'model-count'
      readonly method: string
      readonly count: number
      readonly min: number
      readonly max?: number
    }
  | { readonly code: 'missing-parameter'; readonly method: string; readonly parameter: string; readonly model?: number }
  | {
      readonly code: 'unknown-parameter'
      readonly method: string
      readonly parameter: string
      readonly known: readonly string[]
    }
  | {
      readonly code: 'invalid-parameter'
      readonly method: string
      readonly parameter: string
      readonly model?: number
      readonly value: unknown
      readonly problem: string
    }
  | { readonly code: 'weights-sum-to-zero'; readonly tensor: string; readonly weights: readonly number[] }
  | {
      readonly code: 'density-out-of-range'
      readonly tensor: string
      readonly model: number
      readonly density: number
      readonly epsilon: number
    }
  | { readonly code: 'antipodal'; readonly tensor: string }
  | { readonly code: 'not-finite'; readonly tensor: string; readonly model: number }
  | { readonly code: 'wrong-length'; readonly input: string; readonly length: number; readonly expected: number }
  | { readonly code: 'module-not-found'; readonly module: string; readonly path: string }
  | { readonly code: 'module-failed'; readonly module: string; readonly problem: string }
  | { readonly code: 'not-a-method'; readonly module: string; readonly problem: string }
  | { readonly code: 'name-taken'; readonly module: string; readonly method: string }

/** @see MethodIssue */
export class MethodError extends Error {
  override readonly name = 'MethodError'
  readonly issue: MethodIssue

  constructor(issue: MethodIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): MethodIssue['code'] {
    return this.issue.code
  }
}

const ofModel = (model: number | undefined): string => (model === undefined ? '' : ` of model ${model + 1}`)

function describe(issue: MethodIssue): string {
  switch (issue.code) {
    case 'unknown-method':
      return `No merge method is called '${issue.method}'; there are ${issue.known.join(', ')}`
    case 'needs-base':
      return `${issue.method} needs a base model; name one as base_model`
    case 'model-count':
      return `${issue.method} takes ${countOfModels(issue)}; there ${issue.count === 1 ? 'is' : 'are'} ${issue.count}`
    case 'missing-parameter':
      return `${issue.method} needs the parameter '${issue.parameter}'${ofModel(issue.model)}, which is not set`
    case 'unknown-parameter':
      return `${issue.method} has no parameter '${issue.parameter}'; it has ${issue.known.join(', ') || 'none'}`
    case 'invalid-parameter':
      return `${issue.method}: the parameter '${issue.parameter}'${ofModel(issue.model)} is ${JSON.stringify(issue.value) ?? String(issue.value)}: ${issue.problem}`
    case 'weights-sum-to-zero':
      return `${issue.tensor}: the weights ${issue.weights.join(', ')} sum to 0, so they cannot be normalized; change a weight or set normalize to false`
    case 'density-out-of-range':
      return `${issue.tensor}: density ${issue.density} ± epsilon ${issue.epsilon}${ofModel(issue.model)} leaves the range between 0 and 1; both density − epsilon and density + epsilon must lie inside it`
    case 'antipodal':
      return `${issue.tensor}: the weighted directions of the models cancel out, so they have no mean on the sphere; change the weights`
    case 'not-finite':
      return `${issue.tensor}: model ${issue.model + 1} or the base holds NaN or infinite values (or some too large to square), so lengths and angles are undefined; repair the checkpoint`
    case 'wrong-length':
      return `${issue.input} has ${issue.length} elements; the shape says ${issue.expected}`
    case 'module-not-found':
      return `Method module '${issue.module}' not found: there is no file ${issue.path}`
    case 'module-failed':
      return `Method module '${issue.module}' failed to load: ${issue.problem}`
    case 'not-a-method':
      return `Method module '${issue.module}': ${issue.problem}; export a method made with defineMethod as 'default' or 'method'`
    case 'name-taken':
      return `Method module '${issue.module}' defines '${issue.method}', which is the name of a built-in method; choose another name`
    default:
      return issue satisfies never
  }
}

function countOfModels({ min, max }: { min: number; max?: number }): string {
  const models = (count: number): string => `${count} model${count === 1 ? '' : 's'}`
  if (max === undefined) return `at least ${models(min)} (not counting a base)`
  return min === max ? `exactly ${models(min)} (not counting a base)` : `${min} to ${models(max)} (not counting a base)`
}
