import { defineError, defineIssues, type IssueOf, quoted, shortened, usage } from '@mk/errors'
import { formatPath, formatPlace, type Position } from './place.ts'
import type { ConfigPath } from './merge-config.ts'

/** What every issue of a config has. */
type Located = {
  readonly path: ConfigPath
  readonly position: Position | undefined
  readonly file?: string
}

type Advice = {
  /** The known word that was probably meant. */
  readonly nearest?: string
  /** The way out. */
  readonly hint?: string
}

const where = (path: ConfigPath): string => shortened(formatPath(path), 200)

const rules = defineIssues({
  'invalid-yaml': usage<Located & { readonly reason: string }>(
    ({ reason }) => `not valid YAML: ${shortened(reason, 300)}`,
  ),
  'several-documents': usage<Located & { readonly count: number }>(
    ({ count }) => `the file holds ${count} documents separated by '---', expected one`,
  ),
  /** Aliases (`*name`), and objects, that are inside of themselves or would expand beyond any real config. */
  'alias-limit': usage<Located & { readonly reason: string }>(({ reason }) => shortened(reason, 300)),
  'unknown-key': usage<Located & Advice & { readonly key: string; readonly known: readonly string[] }>(
    ({ key, path, known, nearest, hint }) =>
      `unknown key ${quoted(key)} in ${where(path)}${then(hint)}${nearest === undefined ? ` (expected: ${known.join(', ')})` : meant(nearest)}`,
  ),
  'missing-key': usage<Located & { readonly keys: readonly string[]; readonly hint?: string }>(
    ({ path, keys, hint }) => `${where(path)} needs ${listOf(keys, 'or')}${then(hint)}`,
  ),
  'conflicting-keys': usage<Located & { readonly keys: readonly string[]; readonly hint?: string }>(
    ({ path, keys, hint }) => `${where(path)} has ${listOf(keys, 'and')}, of which only one can be given${then(hint)}`,
  ),
  'wrong-value': usage<Located & Advice & { readonly found: string; readonly expected: string }>(
    ({ path, found, expected, nearest, hint }) =>
      `${where(path)} is ${shortened(found)}, expected ${expected}${nearest === undefined ? '' : meant(nearest)}${then(hint)}`,
  ),
  'bad-model-reference': usage<Located & { readonly text: string; readonly reason: string }>(
    ({ path, text, reason }) => `${where(path)}: '${shortened(text)}' is no model reference: ${shortened(reason, 300)}`,
  ),
  'bad-merge-name': usage<Located & { readonly found: string; readonly reason: string }>(
    ({ found, reason }) => `the name of a merge is ${shortened(found)}, ${shortened(reason, 300)}`,
  ),
  'merge-name-twice': usage<Located & { readonly name: string; readonly first: string }>(
    ({ name, first }) => `two merges are called ${quoted(name)}, the other at ${first}; each needs a name of its own`,
  ),
  'several-outputs': usage<Located & { readonly first: string }>(
    ({ first }) =>
      `two merges have no name, the other at ${first}; one is the output, and all others need a name ('name: …' at the top of their document)`,
  ),
  'no-output': usage<Located & { readonly names: readonly string[] }>(
    ({ names }) =>
      `all merges of the file have names (${shortened(names.join(', '), 200)}); leave out the name of the one that is the output`,
  ),
  'merges-in-a-circle': usage<Located & { readonly names: readonly string[] }>(
    ({ names }) =>
      `merges that are made of one another: ${shortened(names.join(' of '), 300)}; one of them has to begin`,
  ),
  'merge-as-repository': usage<Located & { readonly name: string; readonly reason: string }>(
    ({ path, name, reason }) => `${where(path)}: ${quoted(name)} is a merge of this file; ${reason}`,
  ),
  'no-other-method': usage<Located>(
    ({ path }) =>
      `${where(path)} has a filter in each entry; add a last one without, {value: METHOD}, for all other tensors`,
  ),
  'bad-layer-range': usage<Located & { readonly found: string; readonly reason: string }>(
    ({ path, found, reason }) =>
      `${where(path)} is ${shortened(found)}, expected [start, end) as two integers: ${shortened(reason, 300)}`,
  ),
})

/** One thing that is wrong with a config, and where. */
export type ConfigIssue = IssueOf<typeof rules>

type WithoutPlace<Issue> = Issue extends unknown ? Omit<Issue, keyof Located> : never
/** An issue for which the place is still to be added. */
export type ConfigProblem = WithoutPlace<ConfigIssue>

const maxShown = 20
/** How many are shown whole; of more, the beginning of each says enough. */
const maxWhole = 5
const maxLine = 150

/** Tells everything that is wrong with a config, in the order of the file; `code` and `issue` are those of the first. */
export class ConfigError extends defineError('ConfigError', rules) {
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly [ConfigIssue, ...ConfigIssue[]], options?: ErrorOptions) {
    const [first, ...others] = issues
    super(first, { ...options, prefix: placeOf(first), suffix: formatOthers(others) })
    this.issues = issues
  }
}

function formatOthers(issues: readonly ConfigIssue[]): string {
  let shown = ''
  for (const [index, issue] of issues.entries()) {
    if (index === maxShown - 1) return `${shown}\nand ${issues.length - index} more`
    const line = formatIssue(issue)
    shown += `\n${issues.length > maxWhole && line.length > maxLine ? `${line.slice(0, maxLine)}…` : line}`
  }
  return shown
}

const formatIssue = (issue: ConfigIssue): string => `${placeOf(issue)}: ${rules[issue.code].text(issue as never)}`

/** What is wrong with an object names its path anyway. */
const placeOf = ({ file, position }: Located): string =>
  formatPlace(file, position !== undefined && 'path' in position ? undefined : position)

const meant = (nearest: string): string => `; did you mean '${nearest}'?`
const then = (hint: string | undefined): string => (hint === undefined ? '' : `; ${hint}`)

function listOf(words: readonly string[], conjunction: 'and' | 'or'): string {
  const each = words.map((word) => quoted(word))
  return each.length < 2 ? each.join() : `${each.slice(0, -1).join(', ')} ${conjunction} ${each.at(-1)}`
}
