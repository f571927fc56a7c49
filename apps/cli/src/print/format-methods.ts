import { counted } from '@mk/errors'
import type { MethodDescription } from '@mk/methods'
import { type PlainScreen, plainScreen } from './style.ts'
import { wrapText } from './wrap-text.ts'

/** Formats what `--list-methods` prints: each method with its inputs, parameters and source. */
export const formatMethods = (methods: readonly MethodDescription[], screen: PlainScreen = plainScreen): string =>
  methods.map((method) => formatMethod(method, screen)).join('\n')

function formatMethod(
  { name, summary, reference, base, models, parameters }: MethodDescription,
  { width, style }: PlainScreen,
): string {
  const lines = [
    style.bold(name),
    `  ${summary}`,
    `  ${formatCount(models)}${base === 'required' ? ' and a base model' : base === 'optional' ? ', with or without a base model' : ''}`,
    ...parameters.map(
      (parameter) =>
        `  ${parameter.name} (${[parameter.scope, parameter.required ? 'required' : `default ${String(parameter.default)}`, ...describeRange(parameter.usual)].join(', ')}): ${parameter.description}`,
    ),
    ...(reference === undefined ? [] : [`  ${reference.title}: ${reference.url}`]),
  ]
  return `${lines.map((line) => wrapText(line, width, '  ')).join('\n')}\n`
}

function formatCount({ min, max }: MethodDescription['models']): string {
  if (max === undefined) return `${min} or more models`
  if (min !== max) return `${min} to ${max} models`
  return counted(min, 'model')
}

function describeRange(usual: MethodDescription['parameters'][number]['usual']): string[] {
  const { min, max } = usual ?? {}
  if (min !== undefined && max !== undefined) return [`usually ${min} to ${max}`]
  if (min !== undefined) return [`usually ${min} or more`]
  return max === undefined ? [] : [`usually up to ${max}`]
}
