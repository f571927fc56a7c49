import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = (name: string) => new URL(`../../bin/${name}.cjs`, import.meta.url)
const names = ['mergekit-yaml', 'mk-gguf'] as const
const shells = ['bash', 'zsh', 'fish'] as const
const scripts = new Map<string, string>()

beforeAll(async () => {
  for (const name of names)
    for (const shell of shells) {
      scripts.set(`${shell} ${name}`, (await runBin(bin(name), ['--completion', shell])).stdout)
    }
})

const lines = (text: string) => text.split('\n').filter((line) => line !== '')

/** Asks a shell that has loaded a script what it offers for the last word of lines as they are typed. */
type Ask = (script: string, cwd: string, typed: readonly string[]) => readonly (readonly string[])[]

const separator = '--- next ---'
const answers = (text: string) => text.split(`${separator}\n`).slice(0, -1).map(lines)

const ask: Readonly<Record<(typeof shells)[number], Ask>> = {
  bash(script, cwd, typed) {
    const calls = typed.map((line) => {
      const words = line.split(' ')
      return `COMPREPLY=(); COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_${words[0]!.replaceAll('-', '_')}; printf '%s\\n' "\${COMPREPLY[@]}" '${separator}'`
    })
    return answers(execFileSync('bash', ['-c', [script, ...calls].join('\n')], { encoding: 'utf8', cwd }))
  },
  fish(script, cwd, typed) {
    const calls = `for line in $argv; complete -C $line | string replace -r '\\t.*' ''; echo '${separator}'; end`
    const env = { ...process.env, HOME: cwd, XDG_DATA_HOME: cwd, XDG_CONFIG_HOME: cwd }
    const args = ['--no-config', '-c', `${script}\n${calls}`, ...typed]
    return answers(execFileSync('fish', args, { encoding: 'utf8', cwd, env }))
  },
  // Its lines are completed by an editor, which wants a terminal; what is offered goes through compadd.
  zsh(script, cwd, typed) {
    writeFileSync(join(cwd, 'setup.zsh'), `autoload -U compinit; compinit -u -D\n${script}\n${zshSpy}`)
    const session = [
      'zmodload zsh/zpty; zpty z zsh -f -i',
      `zpty -w z 'source setup.zsh; print -r -- "RE""ADY"'`,
      "zpty -r -m z ignored '*READY*'",
      ...typed.map((line) => `zpty -w -n z '${line}'$'\\t'; zpty -r -m z ignored '*DONE*'`),
      'zpty -d z',
    ]
    execFileSync('zsh', ['-f', '-c', session.join('\n')], { cwd, timeout: 20_000 })
    const told = answers(readFileSync(join(cwd, 'offered'), 'utf8'))
    return told.map((offered) => [...new Set(offered.map((word) => word.replaceAll('\\', '')))])
  },
}

const zshSpy = `compadd() {
  local -a offered
  builtin compadd -A offered "$@"
  (($#offered)) && print -rl -- $offered >> offered
  builtin compadd "$@"
}
complete-and-tell() { zle expand-or-complete; print -r -- '${separator}' >> offered; BUFFER=; print -r -- DONE }
zle -N complete-and-tell
bindkey '^I' complete-and-tell
`

/** Lines as they are typed, and what is to be offered. */
const typed: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['mergekit-yaml --dry', ['--dry-run']],
  ['mergekit-yaml --device o', ['onnx-cpu']],
  ['mergekit-yaml --out-dtype q', ['q4_0', 'q8_0']],
  ['mergekit-yaml --list-methods bread', ['breadcrumbs', 'breadcrumbs_ties']],
  ['mergekit-yaml my', ['my models', 'my recipe.yml']],
  ['mergekit-yaml --transformers-cache my', ['my models']],
  ['mergekit-yaml --threads m', []],
  ['mk-gguf ', ['convert', 'info']],
  ['mk-gguf --comp', ['--completion']],
  ['mk-gguf convert --ty', ['--type']],
  ['mk-gguf convert --type q8', ['q8_0']],
  ['mk-gguf convert my', ['my models', 'my recipe.yml']],
  ['mk-gguf info --ty', []],
]

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0

// Where a shell is not installed, its script is looked at as text only.
describe.each(shells)('the script for %s', (shell) => {
  it('knows options, devices, methods and commands', () => {
    for (const word of ['dry-run', 'list-methods', 'onnx-cpu', 'della_linear', 'transformers-cache'])
      expect(scripts.get(`${shell} mergekit-yaml`)).toContain(word)
    for (const word of ['convert', 'info', 'q8_0', 'transformers-cache'])
      expect(scripts.get(`${shell} mk-gguf`)).toContain(word)
  })

  it.skipIf(!has(shell))(`completes in ${shell} itself (where that is installed)`, () =>
    withFolder((cwd) => {
      writeFileSync(join(cwd, 'my recipe.yml'), '')
      mkdirSync(join(cwd, 'my models'))
      const script = names.map((name) => scripts.get(`${shell} ${name}`)!).join('\n')
      const offered = ask[shell](
        script,
        cwd,
        typed.map(([line]) => line),
      )
      expect(
        typed.map(([line], index) => [line, offered[index]!.map((word) => word.replace(/\/$/, '')).toSorted()]),
      ).toEqual(typed)
      return Promise.resolve()
    }),
  )
})

it('--option=value is completed, too', () => {
  const script = scripts.get('bash mergekit-yaml')!
  const [wasm, all] = ask.bash(script, '.', ['mergekit-yaml --device = w', 'mergekit-yaml --device ='])
  expect(wasm).toEqual(['wasm'])
  expect(all).toContain('onnx-cpu')
})

it('there is no script for other shells', async () => {
  for (const name of names)
    expect(await runBin(bin(name), ['--completion', 'csh'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('use bash'),
    })
  expect(JSON.parse((await runBin(bin('mk-gguf'), ['--completion', 'csh', '--json'])).stdout)).toMatchObject({
    error: { code: 'unknown-shell' },
  })
})
