import type { MethodDescription, ParameterDescription } from './describe-methods.ts'

/** Writes a Markdown table of methods; parameters that have no default and must be set are marked with *. */
export function formatMethodsTable(methods: readonly MethodDescription[]): string {
  const rows = methods.map(({ name, summary, reference, base, models, parameters }) => [
    `\`${name}\``,
    reference ? `${summary} [${reference.title}](${reference.url})` : summary,
    countOf(models),
    base === 'none' ? 'unused' : base,
    [...listOf('each model', parameters, 'per model'), ...listOf('all', parameters, 'method-wide')].join('; '),
  ])
  return [['method', 'what it does', 'models', 'base', 'parameters'], ['---', '---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}

const countOf = ({ min, max }: MethodDescription['models']): string =>
  max === undefined ? `≥ ${min}` : min === max ? `${min}` : `${min} to ${max}`

function listOf(
  title: string,
  parameters: readonly ParameterDescription[],
  scope: ParameterDescription['scope'],
): string[] {
  const own = parameters.filter((parameter) => parameter.scope === scope)
  const names = own.map(
    ({ name, required, default: value }) =>
      `\`${name}\`${required ? '*' : value === undefined ? '' : ` ${formatValue(value)}`}`,
  )
  return own.length === 0 ? [] : [`${title}: ${names.join(', ')}`]
}

const formatValue = (value: unknown): string =>
  typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value)
