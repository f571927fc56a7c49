import type { PreparedMerge } from '@mk/merge'

const widestToken = 32

/** Formats what `--explain-tokens` prints: a line for each token of the output vocabulary that needed a decision. */
export function formatTokens(tokens: PreparedMerge['tokens']): string {
  if (tokens.length === 0)
    return 'no token needed a decision: without a tokenizer setting, or with one vocabulary, rows are merged as they stand\n'
  const rows = tokens.map(({ id, token, rule, models, why }) => [
    String(id),
    quote(token),
    rule,
    models.length === 0 ? '–' : models.join(', '),
    why,
  ])
  const head = ['id', 'token', 'rule', 'in', 'why']
  const widths = head.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]!.length), title.length),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padStart(widths[0]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  const count = `${tokens.length} ${tokens.length === 1 ? 'token' : 'tokens'} needed a decision; nothing was written`
  return `${[line(head), ...rows.map(line), '', count].join('\n')}\n`
}

/** Tokens hold white space and control characters, which would break the table. */
function quote(token: string): string {
  const text = JSON.stringify(token).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length <= widestToken ? text : `${text.slice(0, widestToken - 1)}…`
}
