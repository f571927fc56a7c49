import type { Command, Option } from 'commander'
import { CommandError } from '../errors/command-error.ts'
import type { OptionValues } from './run-command.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** What may stand where a value does. */
type Value = { readonly kind: 'word'; readonly words: readonly string[] } | { readonly kind: 'file' | 'folder' }

/** An option as a shell is to complete it. */
interface Completed {
  readonly flags: readonly string[]
  readonly summary: string
  /** Absent: it takes none. */
  readonly value?: Value
}

/** A command as a shell is to complete it. A program's command is chosen by its first argument. */
interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly Completed[]
  readonly commands: readonly CompletedCommand[]
}

/** Makes the script that completes the arguments of a command. @throws CommandError 'unknown-shell' */
export function completionScript(command: Command, shell: string, values: OptionValues): string {
  const completed = completeCommand(command, { ...values, '--completion': shells })
  const known = shells.find((name) => name === shell)
  switch (known) {
    case 'bash':
      return bashScript(completed)
    case 'zsh':
      return zshScript(completed)
    case 'fish':
      return fishScript(completed)
    case undefined:
      throw new CommandError({ code: 'unknown-shell', shell, known: shells })
    default:
      return known satisfies never
  }
}

const completeCommand = (command: Command, values: OptionValues): CompletedCommand => ({
  name: command.name(),
  summary: command.description(),
  options: command
    .createHelp()
    .visibleOptions(command)
    .map((option) => completeOption(option, values)),
  commands: command.commands.map((child) => completeCommand(child, values)),
})

function completeOption(option: Option, values: OptionValues): Completed {
  const { short, long, required, optional, description } = option
  const flags = [short, long].filter((flag) => flag !== undefined)
  if (!required && !optional) return { flags, summary: description }
  return { flags, summary: description, value: valueOf(option, values) }
}

/** What is no known word is a path where the help calls it so. */
function valueOf({ flags, long, argChoices }: Option, values: OptionValues): Value {
  const words = argChoices ?? values[long ?? '']
  if (words !== undefined) return { kind: 'word', words }
  const called = /[<[]([\w.-]+)/.exec(flags)?.[1]
  switch (called) {
    case 'folder':
      return { kind: 'folder' }
    case 'file':
    case 'model':
      return { kind: 'file' }
    default:
      return { kind: 'word', words: [] }
  }
}

function bashScript(command: CompletedCommand): string {
  const { name, options, commands } = command
  const identifier = `_${name.replaceAll('-', '_')}`
  const own = bashOptions(options, commands.length > 0 ? bashWords(commands.map((child) => child.name)) : bashFiles)
  const body =
    commands.length === 0
      ? own
      : `  if ((COMP_CWORD > 1)); then
    case "\${COMP_WORDS[1]}" in
${commands.map((child) => `    ${child.name})\n${bashOptions(child.options, bashFiles)}\n    ;;`).join('\n')}
    esac
    return
  fi
${own}`
  return `# eval "$(${name} --completion bash)"
${identifier}() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # --option=value is three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
${body}
}
complete -o filenames -F ${identifier} ${name}
`
}

const bashFiles = 'compgen -f -- "$cur"'
const bashWords = (words: readonly string[]) => `compgen -W $'${words.join('\\n')}' -- "$cur"`

function bashOptions(options: readonly Completed[], otherwise: string): string {
  const cases = options.flatMap(({ flags, value }) =>
    value === undefined ? [] : [`  ${flags.join('|')}) COMPREPLY=($(${bashReply(value)})); return ;;`],
  )
  return `  case "$cur" in
  -*) COMPREPLY=($(${bashWords(options.flatMap(({ flags }) => flags))})); return ;;
  esac
  case "$prev" in
${[...cases, `  *) COMPREPLY=($(${otherwise})) ;;`].join('\n')}
  esac`
}

function bashReply(value: Value): string {
  switch (value.kind) {
    case 'word':
      return bashWords(value.words)
    case 'file':
      return bashFiles
    case 'folder':
      return 'compgen -d -- "$cur"'
    default:
      return value satisfies never
  }
}

function zshScript(command: CompletedCommand): string {
  const { name, commands } = command
  const described = commands.map((child) => `'${zshQuoted(`${child.name}:${child.summary}`)}'`).join(' ')
  const body =
    commands.length === 0
      ? zshArguments(command, "'*:file:_files'")
      : `  if ((CURRENT > 2)); then
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
${commands.map((child) => `    ${child.name})\n${zshArguments(child, "'*:file:_files'")}\n    ;;`).join('\n')}
    esac
    return
  fi
  local -a commands=(${described})
${zshArguments(command, "'1:command:{_describe command commands}'")}`
  return `#compdef ${name}
# eval "$(${name} --completion zsh)", after compinit; or as a file _${name} in a folder of fpath
_${name}() {
${body}
}
if [[ \${funcstack[1]} == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

const zshQuoted = (text: string) => text.replaceAll("'", `'\\''`)

function zshArguments({ options }: CompletedCommand, operands: string): string {
  const specs = options.flatMap(({ flags, summary, value }) => {
    const told = `[${zshQuoted(summary.replace(/[[\]:\\]/g, '\\$&'))}]`
    return flags.map((flag) => {
      // An option may be given again; its value may also stand behind a sign.
      const sign = value !== undefined && flag.startsWith('--') ? '=' : ''
      return `    '*${flag}${sign}${told}${value === undefined ? '' : `:value:${zshValue(value)}`}'`
    })
  })
  return `  _arguments -s \\\n${[...specs, `    ${operands}`].join(' \\\n')}`
}

function zshValue(value: Value): string {
  switch (value.kind) {
    case 'word':
      return value.words.length === 0 ? ' ' : `(${value.words.join(' ')})`
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    default:
      return value satisfies never
  }
}

function fishScript({ name, options, commands }: CompletedCommand): string {
  const chosen = commands.map((child) => child.name).join(' ')
  const lines = [
    ...fishOptions(name, options, chosen === '' ? '' : ` -n 'not __fish_seen_subcommand_from ${chosen}'`),
    ...commands.flatMap((child) => [
      `complete -c ${name} -f -n 'not __fish_seen_subcommand_from ${chosen}' -a ${child.name} -d '${fishQuoted(child.summary)}'`,
      ...fishOptions(name, child.options, ` -n '__fish_seen_subcommand_from ${child.name}'`),
    ]),
  ]
  return `# ${name} --completion fish | source\n${lines.join('\n')}\n`
}

const fishQuoted = (text: string) => text.replace(/[\\']/g, '\\$&')

const fishOptions = (name: string, options: readonly Completed[], condition: string): string[] =>
  options.map(({ flags, summary, value }) => {
    const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
    return `complete -c ${name}${condition} ${names} -d '${fishQuoted(summary)}'${fishValue(value)}`
  })

function fishValue(value: Value | undefined): string {
  switch (value?.kind) {
    case undefined:
      return ''
    case 'word':
      return value.words.length === 0 ? ' -x' : ` -x -a '${value.words.join(' ')}'`
    case 'file':
      return ' -r -F'
    case 'folder':
      return " -x -a '(__fish_complete_directories)'"
    default:
      return value satisfies never
  }
}
