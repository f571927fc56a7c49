import type { ConfigPath } from './merge-config.ts'

/** Where in the file something is written; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** What is wrong with a config, by rule. */
export type ConfigFault =
  | { readonly code: 'invalid-yaml'; readonly reason: string }
  | { readonly code: 'several-documents'; readonly count: number }
  /** Aliases (`*name`) that refer to themselves or would expand beyond any real config. */
  | { readonly code: 'alias-limit'; readonly reason: string }
  | {
      readonly code: 'unknown-key'
      readonly key: string
      readonly known: readonly string[]
      readonly nearest?: string
      readonly hint?: string
    }
  | { readonly code: 'missing-key'; readonly keys: readonly string[]; readonly hint?: string }
  | { readonly code: 'conflicting-keys'; readonly keys: readonly string[]; readonly hint?: string }
  | {
      readonly code: 'wrong-value'
      readonly found: string
      readonly expected: string
      readonly nearest?: string
      readonly hint?: string
    }
  | { readonly code: 'bad-model-reference'; readonly text: string; readonly reason: string }
  | { readonly code: 'bad-layer-range'; readonly found: string; readonly reason: string }

export type ConfigIssue = ConfigFault & {
  readonly path: ConfigPath
  readonly position: Position | undefined
  readonly file?: string
}

const maxShown = 20

/** Everything that is wrong with a config, in the order of the file; `issue` is the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigIssue['code']
  readonly issue: ConfigIssue
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly [ConfigIssue, ...ConfigIssue[]], options?: ErrorOptions) {
    const shown = issues.slice(0, maxShown).map(formatIssue)
    super([...shown, ...(issues.length > maxShown ? [`and ${issues.length - maxShown} more`] : [])].join('\n'), options)
    this.issues = issues
    this.issue = issues[0]
    this.code = issues[0].code
  }
}

/** `recipe.yml:3:12`; without a file the word `config` stands for it. */
export const formatPlace = (file: string | undefined, position: Position | undefined): string =>
  `${file ?? 'config'}${position === undefined ? '' : `:${position.line}:${position.column}`}`

/** `models[0].parameters.weight`; names that need it are quoted. The top is `the config`. */
export function formatPath(path: ConfigPath): string {
  if (path.length === 0) return 'the config'
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}

function formatIssue(issue: ConfigIssue): string {
  return `${formatPlace(issue.file, issue.position)}: ${describe(issue)}`
}

function describe(issue: ConfigIssue): string {
  const where = formatPath(issue.path)
  switch (issue.code) {
    case 'invalid-yaml':
      return `not valid YAML: ${issue.reason}`
    case 'several-documents':
      return `the file holds ${issue.count} documents separated by '---', but one merge is one document; put each in a file of its own and merge them in order`
    case 'alias-limit':
      return issue.reason
    case 'unknown-key': {
      const guess =
        issue.nearest === undefined ? ` (expected: ${issue.known.join(', ')})` : `; did you mean '${issue.nearest}'?`
      return `unknown key '${issue.key}' in ${where}${withHint(issue.hint)}${guess}`
    }
    case 'missing-key':
      return `${where} needs ${quotedList(issue.keys, 'or')}${withHint(issue.hint)}`
    case 'conflicting-keys':
      return `${where} has ${quotedList(issue.keys, 'and')}, of which only one can be given${withHint(issue.hint)}`
    case 'wrong-value':
      return `${where} is ${issue.found}, expected ${issue.expected}${issue.nearest === undefined ? '' : `; did you mean '${issue.nearest}'?`}${withHint(issue.hint)}`
    case 'bad-model-reference':
      return `${where}: '${issue.text}' is no model reference: ${issue.reason}`
    case 'bad-layer-range':
      return `${where} is ${issue.found}, expected [start, end) as two integers: ${issue.reason}`
    default:
      return issue satisfies never
  }
}

const withHint = (hint: string | undefined): string => (hint === undefined ? '' : `; ${hint}`)

function quotedList(words: readonly string[], conjunction: 'and' | 'or'): string {
  const quoted = words.map((word) => `'${word}'`)
  return quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(', ')} ${conjunction} ${quoted.at(-1)}`
}
