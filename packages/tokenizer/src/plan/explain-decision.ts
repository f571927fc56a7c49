import type { TokenDecision } from './plan-rows.ts'
import type { TokenSource } from './tokenizer-setting.ts'

/** One line of the table of decisions, in words. */
export interface ExplainedDecision {
  readonly token: string
  readonly id: number
  readonly models: readonly string[]
  readonly rule: TokenDecision['rule']['kind'] | 'forced'
  readonly why: string
}

/**
 * Says in words where the rows of many tokens come from, which mostly have the same words as the one before.
 *
 * @param labels the models' names, in the order of the inputs
 */
export function explainDecisions(
  decisions: readonly TokenDecision[],
  labels: readonly string[],
): readonly ExplainedDecision[] {
  let last: TokenDecision | undefined
  let words: Pick<ExplainedDecision, 'models' | 'rule' | 'why'> | undefined
  return decisions.map((decision) => {
    if (words === undefined || decision.rule !== last?.rule || decision.models !== last.models)
      words = explainDecision(decision, labels)
    last = decision
    const { models, rule, why } = words
    return { token: decision.token, id: decision.id, models, rule, why }
  })
}

/**
 * Says in words where the rows of a token come from.
 *
 * @param labels the models' names, in the order of the inputs
 */
export function explainDecision(
  { token, id, models, rule }: TokenDecision,
  labels: readonly string[],
): ExplainedDecision {
  const names = (positions: readonly number[]): string => positions.map((position) => labels[position]!).join(', ')
  const line = { token, id, models: models.map((model) => labels[model]!), rule: rule.kind }
  switch (rule.kind) {
    case 'configured': {
      const source = describeSource(rule.source, labels)
      return rule.forced
        ? { ...line, rule: 'forced', why: `the config gives every model ${source}` }
        : {
            ...line,
            why:
              models.length === labels.length
                ? 'every model has it, so that the configured source is not needed'
                : `the config gives the models that lack it ${source}`,
          }
    }
    case 'only':
      return { ...line, why: `only ${labels[rule.model]} has it` }
    case 'base':
      return { ...line, why: `the base, ${labels[rule.model]}, has it; the models that lack it get its row` }
    case 'mean':
      return { ...line, why: `the base lacks it; the models that lack it get the mean of ${names(rule.models)}` }
    case 'shared':
      return { ...line, why: `merged over ${names(rule.models)}, their weights made to sum to 1` }
    case 'zero':
      return { ...line, why: 'no model has it and the config names no source: zeros' }
    default:
      return rule satisfies never
  }
}

function describeSource(source: TokenSource, labels: readonly string[]): string {
  if (source.kind === 'zero') return 'zeros'
  const label = labels[source.model]!
  if (source.kind === 'model') return `the row of ${label}`
  return 'token' in source
    ? `the row of ${JSON.stringify(source.token)} in ${label}`
    : `row ${source.tokenId} of ${label}`
}
