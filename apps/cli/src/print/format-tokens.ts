import { counted } from '@mk/errors'
import type { PreparedMerge } from '@mk/merge'
import { formatTable } from './format-table.ts'
import { type PlainScreen, plainScreen } from './style.ts'
import { wrapText } from './wrap-text.ts'

const widestToken = 32

/** Formats what `--explain-tokens` prints: a line for each token of the output vocabulary that needed a decision. */
export function formatTokens(tokens: PreparedMerge['tokens'], { width }: PlainScreen = plainScreen): string {
  if (tokens.length === 0) {
    const text =
      'no token needed a decision: without a tokenizer setting, or with one vocabulary, rows are merged as they stand'
    return `${wrapText(text, width)}\n`
  }
  const rows = tokens.map(({ id, token, rule, models, why }) => [
    String(id),
    quote(token),
    rule,
    models.length === 0 ? '–' : models.join(', '),
    why,
  ])
  const columns = [
    { title: 'id', align: 'right' },
    { title: 'token' },
    { title: 'rule', dropOrder: 1 },
    { title: 'in', dropOrder: 2 },
    { title: 'why' },
  ] as const
  const count = `${counted(tokens.length, 'token')} needed a decision; nothing was written`
  return `${[...formatTable(columns, rows, width), '', count].join('\n')}\n`
}

/** Tokens hold white space and control characters, which would break the table. */
function quote(token: string): string {
  const text = JSON.stringify(token).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length <= widestToken ? text : `${text.slice(0, widestToken - 1)}…`
}
