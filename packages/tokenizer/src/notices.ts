import { printable, shortened } from '@mk/errors'
import { quote as quoted } from './parse/issues.ts'
import type { TokenizerKind } from './parse/model-tokenizer.ts'

/** `warning`: the output may not be what is meant; `note`: nothing to mend. */
type Severity = 'warning' | 'note'

/** Gives the name of a model by its position among the inputs. */
type NameOf = (model: number) => string

interface NoticeRule<Facts> {
  readonly severity: Severity
  readonly text: (facts: Facts, name: NameOf) => string
}

const declare =
  (severity: Severity) =>
  <Facts>(text: NoticeRule<Facts>['text']): NoticeRule<Facts> => ({ severity, text })
const warning = declare('warning')
const note = declare('note')

/** What a person should know of an output vocabulary, by code; models are positions among the inputs. */
const rules = {
  'special-flags-differ': warning<{
    readonly tokens: readonly {
      readonly token: string
      readonly models: readonly [number, number]
      readonly flags: readonly string[]
    }[]
  }>(
    ({ tokens }, name) =>
      `models give a special token different flags; the first one's count: ${some(tokens, ({ token, models: [a, b], flags }) => `${quoted(token)} (${flags.join(', ')}: ${name(a)}, ${name(b)})`)}`,
  ),
  'special-tokens-differ': warning<{ readonly role: string; readonly tokens: readonly (string | undefined)[] }>(
    ({ role, tokens }, name) =>
      `the models' ${role} tokens differ: ${some(tokens.flatMap((token, model) => (token === undefined ? [] : [`${shortened(token)} in ${name(model)}`])))}`,
  ),
  'chat-templates-differ': warning<{ readonly groups: readonly (readonly number[])[] }>(
    ({ groups }, name) =>
      `the models' chat templates differ: ${some(groups, (group) => group.map(name).join(' = '))}; chat_template chooses one`,
  ),
  'kinds-differ': warning<{ readonly kinds: readonly (TokenizerKind | undefined)[] }>(
    ({ kinds }, name) =>
      `the models' tokenizers are of different kinds, so that they spell the same text differently and share few tokens: ${some(kinds.flatMap((kind, model) => (kind === undefined ? [] : [`${name(model)} is ${kind}`])))}`,
  ),
  'zero-rows': warning<{ readonly tokens: readonly string[] }>(
    ({ tokens }) => `no model has a row for ${some(tokens, quoted)}: zeros`,
  ),
  'assumed-tokenizer': warning<{ readonly models: readonly number[]; readonly base: number }>(
    ({ models, base }, name) =>
      `${models.map(name).join(', ')} has no tokenizer; taken to be that of ${name(base)}, which has as many rows`,
  ),
  'blank-added-tokens': warning<{ readonly tokens: readonly string[] }>(
    ({ tokens }) =>
      `added tokens that are white space would change how the base tokenizes text, so that they have a row but are not found in text: ${some(tokens, quoted)}`,
  ),
  'tokens-without-row': note<{ readonly model: number; readonly tokens: readonly string[] }>(
    ({ model, tokens }, name) =>
      `${name(model)} has no embedding row for ${some(tokens, quoted)}; they count as absent`,
  ),
  'hidden-tokens': note<{ readonly tokens: readonly string[] }>(
    ({ tokens }) =>
      `ordinary tokens of other models that would change how the base tokenizes text are stored under a name that text cannot have: ${some(tokens, quoted)}`,
  ),
  'left-out-files': note<{ readonly files: readonly string[] }>(
    ({ files }) => `left out, since they describe the vocabulary before: ${some(files, shortenedName)}`,
  ),
  'contradicting-files': note<{ readonly model: number; readonly details: readonly string[] }>(
    ({ model, details }, name) => `${name(model)}: ${some(details)}`,
  ),
}

type Rules = typeof rules
type NoticeCode = keyof Rules

/** Something that a person should know of an output vocabulary: a code and the facts that its text tells. */
export type VocabularyNotice = {
  [Code in NoticeCode]: { readonly code: Code } & Parameters<Rules[Code]['text']>[0]
}[NoticeCode]

/** Says a notice in words, the models by name. */
export function explainNotice(notice: VocabularyNotice, labels: readonly string[]): string {
  return printable(ruleOf(notice).text(notice, (model) => labels[model]!))
}

/** Tells a warning from a note. */
export const severityOf = (notice: VocabularyNotice): Severity => ruleOf(notice).severity

const ruleOf = ({ code }: VocabularyNotice) => rules[code] as NoticeRule<VocabularyNotice>

const shortenedName = (name: string): string => shortened(name)

function some<T>(items: readonly T[], show: (item: T) => string = String): string {
  return `${items.slice(0, 5).map(show).join(', ')}${items.length > 5 ? ` and ${items.length - 5} more` : ''}`
}
