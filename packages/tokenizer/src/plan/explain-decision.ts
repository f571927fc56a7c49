import type { VocabularyNotice } from './compare-tokenizers.ts'
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

/** @param labels the models' names, in the order of the inputs */
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

/** A warning or note in words. */
export function explainNotice(notice: VocabularyNotice, labels: readonly string[]): string {
  const name = (model: number): string => labels[model]!
  switch (notice.code) {
    case 'special-flags-differ':
      return `models give a special token different flags; the first one's count: ${some(notice.tokens, ({ token, models: [a, b], flags }) => `${JSON.stringify(token)} (${flags.join(', ')}: ${name(a)}, ${name(b)})`)}`
    case 'special-tokens-differ':
      return `the models' ${notice.role} tokens differ: ${some(notice.tokens.flatMap((token, model) => (token === undefined ? [] : [`${token} in ${name(model)}`])))}`
    case 'chat-templates-differ':
      return `the models' chat templates differ: ${some(notice.groups, (group) => group.map(name).join(' = '))}; chat_template chooses one`
    case 'kinds-differ':
      return `the models' tokenizers are of different kinds, so that they spell the same text differently and share few tokens: ${some(notice.kinds.flatMap((kind, model) => (kind === undefined ? [] : [`${name(model)} is ${kind}`])))}`
    case 'zero-rows':
      return `no model has a row for ${some(notice.tokens, quoted)}: zeros`
    case 'assumed-tokenizer':
      return `${notice.models.map(name).join(', ')} has no tokenizer; taken to be that of ${name(notice.base)}, which has as many rows`
    case 'blank-added-tokens':
      return `added tokens that are white space would change how the base cuts text, so that they have a row but are not found in text: ${some(notice.tokens, quoted)}`
    case 'tokens-without-row':
      return `${name(notice.model)} has no embedding row for ${some(notice.tokens, quoted)}; they count as absent`
    case 'hidden-tokens':
      return `ordinary tokens of other models that would change how the base cuts text are stored under a name that text cannot have: ${some(notice.tokens, quoted)}`
    case 'left-out-files':
      return `left out, since they describe the vocabulary before: ${notice.files.join(', ')}`
    case 'contradicting-files':
      return `${name(notice.model)}: ${some(notice.details)}`
    default:
      return notice satisfies never
  }
}

const quoted = (token: string): string => JSON.stringify(token)

function some<T>(items: readonly T[], show: (item: T) => string = String): string {
  return `${items.slice(0, 5).map(show).join(', ')}${items.length > 5 ? ` and ${items.length - 5} more` : ''}`
}
