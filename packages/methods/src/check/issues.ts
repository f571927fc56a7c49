import { defineIssues, quoted, usage } from '@mk/errors'

/** What a caller that reads settings from a file knows of the place; every part of it is for the message only. */
export interface Place {
  /** File, line and column, such as `recipe.yml:3:5`; begins the message. */
  readonly where?: string | undefined
  /** The output tensor that the setting is for. */
  readonly tensor?: string | undefined
  /** What the user calls the model; absent: models are counted, `model 2`. */
  readonly modelName?: string | undefined
  /** The way out, such as where to write the setting; ends the message. */
  readonly hint?: string | undefined
}

type OfParameter = Place & {
  readonly method: string
  readonly parameter: string
  /** For parameters that each model has: which one, counted from 0 in the order of the config, the base not among them. */
  readonly model?: number | undefined
}

type ModelCount = Place & {
  readonly method: string
  readonly found: number
  readonly min: number
  readonly max?: number | undefined
  /** Whether there is a base model besides those counted. */
  readonly hasBase: boolean
}

type UnknownName = {
  /** The names that there are. */
  readonly known: readonly string[]
  /** The one that was probably meant. */
  readonly nearest?: string | undefined
  /** Those that may have been meant, where it can be several. */
  readonly alternatives?: readonly string[] | undefined
}

/** Method, models and parameters that don't fit together. */
export const checkRules = defineIssues({
  'unknown-method': usage<Place & UnknownName & { readonly method: string }>(
    ({ method, where, known, nearest, alternatives }) =>
      `${at(where)}there is no merge method ${quoted(method)}${meant({ known, nearest, alternatives }, 'there are')}`,
  ),
  'base-required': usage<Place & { readonly method: string }>(
    ({ method, where }) => `${at(where)}${method} needs a base model; name one as base_model`,
  ),
  'model-count': usage<ModelCount>(
    (issue) => `${at(issue.where)}${issue.method} takes ${countOfModels(issue)}, found ${issue.found}`,
  ),
  'unknown-parameter': usage<Place & UnknownName & { readonly method: string; readonly parameter: string }>(
    ({ method, parameter, where, known, nearest, hint }) =>
      `${at(where)}${method} has no parameter ${quoted(parameter)}${hint === undefined ? meant({ known, nearest }, 'it has') : `; ${hint}`}`,
  ),
  'missing-parameter': usage<OfParameter>(
    (issue) => `${at(issue.where)}${issue.method} needs the ${nameOf(issue)}, which is not set${hintOf(issue)}`,
  ),
  'invalid-parameter': usage<OfParameter & { readonly value: unknown; readonly expected: string }>(
    (issue) =>
      `${at(issue.where)}the ${nameOf(issue)} of ${issue.method} is ${quoted(issue.value)}, expected ${issue.expected}${hintOf(issue)}`,
  ),
  'weights-by-norm': usage<{
    readonly method: string
    readonly parameter: string
    readonly rule: string
    readonly tensor: string
    /** 'mixed': not all models have it. */
    readonly problem: 'mixed' | 'no-base'
  }>(({ method, parameter, rule, tensor, problem }) =>
    problem === 'mixed'
      ? `${tensor}: '${parameter}' is ${rule} for some models and something else for others; expected ${rule} for all of them, since it shares out a whole, or a number for each`
      : `${tensor}: '${parameter}' is ${rule}, which goes by the differences from a base model, and ${method} has none; name one as base_model with a method that uses it, or write inverse_norm`,
  ),
  'norm-zero': usage<{ readonly name: string }>(
    ({ name }) =>
      `all that is merged of ${name} is 0, so its norm has no inverse; write numbers as weights, or leave the model out`,
  ),
})

const at = (where: string | undefined): string => (where === undefined ? '' : `${where}: `)

const hintOf = ({ hint }: Place): string => (hint === undefined ? '' : `; ${hint}`)

const meant = ({ known, nearest, alternatives }: UnknownName, thereAre: string): string =>
  alternatives !== undefined
    ? `; did you mean ${alternatives.map((name) => `'${name}'`).join(' or ')}?`
    : nearest === undefined
      ? `; ${thereAre} ${known.join(', ') || 'none'}`
      : `; did you mean '${nearest}'?`

function nameOf({ parameter, model, modelName, tensor }: Omit<OfParameter, 'method'>): string {
  const ofModel = model === undefined ? '' : ` of model ${modelName ?? model + 1}`
  return `parameter '${parameter}'${ofModel}${tensor === undefined ? '' : ` for tensor ${tensor}`}`
}

function countOfModels({ min, max, hasBase }: Pick<ModelCount, 'min' | 'max' | 'hasBase'>): string {
  const count = max === undefined ? `at least ${min}` : min === max ? `exactly ${min}` : `${min} to ${max}`
  return `${count} model${(max ?? min) === 1 ? '' : 's'}${hasBase ? ' besides the base model' : ''}`
}
