// A terminal session as it happens: the commands are run, in 80 columns and in color, and what they print is drawn.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { escaped } from './svg.mjs'

const columnCount = 80
const recipe = `merge_method: slerp
base_model: tiny-code
models:
  - model: tiny-code
  - model: tiny-prose
parameters:
  t: [0.2, 0.5, 0.8]
tokenizer: {source: union}
`
const commands = [
  'cat recipe.yml',
  'mergekit-yaml recipe.yml --dry-run',
  'mergekit-yaml recipe.yml merged',
  'ls merged',
]

/** Runs the commands in a folder of their own, where the example models are, each on a pseudo-terminal of util-linux's script. */
function record(root) {
  const folder = mkdtempSync(join(tmpdir(), 'mk-session-'))
  try {
    for (const name of ['tiny-code', 'tiny-prose']) symlinkSync(join(root, 'examples/models', name), join(folder, name))
    writeFileSync(join(folder, 'recipe.yml'), recipe)
    symlinkSync(join(root, 'apps/cli/bin/mergekit-yaml.cjs'), join(folder, 'mergekit-yaml'))
    return commands.map((command) => {
      const onTerminal = `stty cols ${columnCount} rows 50; ${command}`
      const { stdout, error } = spawnSync('script', ['-qec', onTerminal, '/dev/null'], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
      })
      if (error) throw error
      return { command, lines: stdout.replaceAll(folder, '.').trimEnd().split(/\r?\n/).map(afterReturns) }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A bar is drawn over again, and at last erased. */
const afterReturns = (line) => line.slice(line.lastIndexOf('\r') + 1).replace('\u001b[K', '')

const colors = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  90: '#9198a1',
  2: '#9198a1',
}

/** A line with the colors that its escape sequences set. */
function colored(text) {
  let color = ''
  let weight = ''
  return (
    text
      // oxlint-disable-next-line no-control-regex -- what a terminal is told
      .split(/\u001b\[([\d;]*)m/)
      .map((part, index) => {
        if (index % 2 === 0) return part === '' ? '' : `<tspan${color}${weight}>${escaped(part)}</tspan>`
        for (const code of part.split(';').map(Number)) {
          if (code === 0 || code === 39 || code === 22) color = weight = ''
          else if (code === 1) weight = ' font-weight="700"'
          else if (colors[code] !== undefined) color = ` fill="${colors[code]}"`
        }
        return ''
      })
      .join('')
  )
}

/** Draws the session. */
export function drawSession(root) {
  const lines = record(root).flatMap((recorded) => [
    `<tspan fill="#7ee787">$</tspan> <tspan font-weight="700">${escaped(recorded.command)}</tspan>`,
    ...recorded.lines.map(colored),
    '',
  ])
  const [lineHeight, top, left] = [18, 52, 20]
  const width = left * 2 + columnCount * 7.83
  const height = top + lines.length * lineHeight
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${height}" viewBox="0 0 ${Math.ceil(width)} ${height}" role="img" aria-label="A terminal: a recipe, its merge, and the folder that it gives">
<style>text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3; white-space: pre }</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117" stroke="#3d444d"/>
<circle cx="20" cy="20" r="6" fill="#ff5f57"/><circle cx="40" cy="20" r="6" fill="#febc2e"/><circle cx="60" cy="20" r="6" fill="#28c840"/>
${lines.map((text, index) => (text === '' ? '' : `<text x="${left}" y="${top + index * lineHeight}" xml:space="preserve">${text}</text>`)).join('\n')}
</svg>
`
}
