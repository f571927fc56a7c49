import { outDtypeNames } from '@mk/config'
import type { Command, Option } from 'commander'
import { CommandError } from '../errors/command-error.ts'
import { devices } from '../runtimes/device-table.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** An option as a shell is to complete it. */
interface Completed {
  readonly flags: readonly string[]
  readonly summary: string
  readonly takesValue: boolean
  /** What its value may be; absent: a path. */
  readonly values?: readonly string[]
}

/** Makes the script that completes the arguments of a command. @throws CommandError 'unknown-shell' */
export async function completionScript(command: Command, shell: string): Promise<string> {
  const { builtinMethods } = await import('@mk/methods')
  const values: Readonly<Record<string, readonly string[]>> = {
    '--device': devices.map(({ name }) => name),
    '--list-methods': [...builtinMethods.keys()],
    '--method': [...builtinMethods.keys()],
    '--completion': shells,
    '--out-dtype': outDtypeNames,
    '--threads': [],
    '--random-seed': [],
    '--out-shard-size': [],
    '--weight': [],
    '--density': [],
  }
  const options = command
    .createHelp()
    .visibleOptions(command)
    .map((option) => complete(option, values))
  const known = shells.find((name) => name === shell)
  switch (known) {
    case 'bash':
      return bashScript(command.name(), options)
    case 'zsh':
      return zshScript(command.name(), options)
    case 'fish':
      return fishScript(command.name(), options)
    case undefined:
      throw new CommandError({ code: 'unknown-shell', shell, known: shells })
    default:
      return known satisfies never
  }
}

function complete(option: Option, values: Readonly<Record<string, readonly string[]>>): Completed {
  const { short, long, required, optional, description } = option
  const choices = option.argChoices ?? values[long ?? '']
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    summary: description,
    takesValue: required || optional,
    ...(choices !== undefined && { values: choices }),
  }
}

function bashScript(name: string, options: readonly Completed[]): string {
  const identifier = `_${name.replaceAll('-', '_')}`
  const cases = options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, values }) => {
      const reply = values === undefined ? 'compgen -f -- "$cur"' : `compgen -W '${values.join(' ')}' -- "$cur"`
      return `    ${flags.join('|')}) COMPREPLY=($(${reply})); return ;;`
    })
  return `# eval "$(${name} --completion bash)"
${identifier}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  case "$prev" in
${cases.join('\n')}
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W '${options.flatMap(({ flags }) => flags).join(' ')}' -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -o filenames -F ${identifier} ${name}
`
}

function zshScript(name: string, options: readonly Completed[]): string {
  const identifier = `_${name.replaceAll('-', '_')}`
  const escape = (text: string) => text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", `'\\''`)
  const specs = options.flatMap(({ flags, summary, takesValue, values }) => {
    const value = takesValue ? `:value:${values === undefined ? '_files' : `(${values.join(' ')})`}` : ''
    return flags.map((flag) => `    '${flag}[${escape(summary)}]${value}'`)
  })
  return `#compdef ${name}
# eval "$(${name} --completion zsh)", after compinit
${identifier}() {
  _arguments -s \\
${specs.join(' \\\n')} \\
    '*:file:_files'
}
compdef ${identifier} ${name}
`
}

function fishScript(name: string, options: readonly Completed[]): string {
  const escape = (text: string) => text.replace(/[\\']/g, '\\$&')
  const lines = options.map(({ flags, summary, takesValue, values }) => {
    const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
    const value = !takesValue ? '' : values === undefined ? ' -r -F' : ` -x -a '${values.join(' ')}'`
    return `complete -c ${name} ${names} -d '${escape(summary)}'${value}`
  })
  return `# ${name} --completion fish | source\n${lines.join('\n')}\n`
}
