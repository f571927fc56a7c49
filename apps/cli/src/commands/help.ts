import type { Command, Help } from 'commander'
import { describeScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

/** A call of a command, and what it does. */
export type Example = readonly [call: string, what: string]

const environment: readonly Example[] = [
  ['HF_TOKEN', 'token for private and gated models'],
  ['HF_HOME, HF_HUB_CACHE', 'where downloaded models are kept'],
  ['HF_HUB_OFFLINE=1', 'use the cache alone'],
  ['HF_ENDPOINT', 'another hub'],
  ['HTTPS_PROXY, NO_PROXY', 'the way to the hub'],
  ['NO_COLOR, FORCE_COLOR', 'text without colors, or with them in any case'],
]

const usualStatuses: readonly Example[] = [
  ['0', 'done'],
  ['1', 'it failed, and trying again may help'],
  ['2', 'command line, inputs or place of the output have to be mended first'],
  ['130, 143', 'ended by Ctrl-C or SIGTERM'],
]

/** What the exit statuses of commands that merge mean. */
export const mergeStatuses: readonly Example[] = [
  ['0', 'done'],
  ['1', 'the merge failed, and trying again may help'],
  ['2', 'command line, recipe, inputs or place of the output have to be mended first'],
  ['130, 143', 'ended by Ctrl-C or SIGTERM; the same command goes on from there'],
]

/** What the help of a command has below its options. */
export interface HelpSections {
  readonly examples: readonly Example[]
  readonly statuses?: readonly Example[]
}

const indent = 2
const gap = 2
/** A description that is narrower stands below its term. */
const leastDescription = 36

/** Gives the help groups, examples, environment and exit statuses, at any width from 40 columns. */
export function configureHelp(command: Command, { examples, statuses = usualStatuses }: HelpSections): Command {
  const { width, style } = describeScreen(process.stdout)
  const columns = width ?? 80
  const formatItem = (term: string, termWidth: number, description: string) =>
    item(term, termWidth, description, columns)
  command.configureHelp({
    helpWidth: columns,
    formatItem: (term, termWidth, description) => formatItem(term, termWidth, description),
    commandUsage: (of) => wrapText(`Usage: ${of.name()} ${of.usage()}`, columns, '  ').slice('Usage: '.length),
    subcommandTerm: (of) => [of.name(), ...of.registeredArguments.map((operand) => `[${operand.name()}]`)].join(' '),
    boxWrap: (text) => wrapText(text, columns),
    styleTitle: (text) => style.bold(text),
  } satisfies Partial<Help>)
  const section = (title: string, rows: readonly Example[]) => {
    const termWidth = rows.reduce((most, [term]) => Math.max(most, term.length), 0)
    return [style.bold(title), ...rows.map(([term, text]) => formatItem(term, termWidth, text)), ''].join('\n')
  }
  // Wrapping takes as long as all parsing, and most calls ask for no help.
  const sections = () => [
    ...(examples.length > 0
      ? [
          section(
            'Examples:',
            examples.map(([call, what]) => [wrapCall(call, columns - indent), what]),
          ),
        ]
      : []),
    section('Environment:', environment),
    section('Exit status:', statuses),
  ]
  return command.addHelpText('after', () => `\n${sections().join('\n').trimEnd()}`)
}

/** A call that is too long for its line goes on behind a backslash, so that it can still be copied. */
const wrapCall = (call: string, columns: number): string =>
  call.length <= columns
    ? call
    : wrapText(call, columns - ' \\'.length, ' '.repeat(indent)).replaceAll('\n', ` \\\n${' '.repeat(indent)}`)

function item(term: string, termWidth: number, description: string, columns: number): string {
  const start = ' '.repeat(indent)
  if (description === '') return start + term
  const left = indent + termWidth + gap
  if (columns - left < leastDescription || term.length > termWidth) {
    const below = ' '.repeat(indent * 3)
    return `${start}${term}\n${wrapText(below + description, columns)}`
  }
  const [first = '', ...rest] = wrapText(description, columns - left).split('\n')
  return [
    `${start}${term.padEnd(termWidth)}${' '.repeat(gap)}${first}`,
    ...rest.map((line) => ' '.repeat(left) + line),
  ].join('\n')
}
