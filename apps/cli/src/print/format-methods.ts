import type { MethodDescription } from '@mk/methods'

/** Formats what `--list-methods` prints: each method with its inputs, parameters and source. */
export const formatMethods = (methods: readonly MethodDescription[]): string => methods.map(formatMethod).join('\n')

function formatMethod({ name, summary, reference, base, models, parameters }: MethodDescription): string {
  const lines = [
    name,
    `  ${summary}`,
    `  ${formatCount(models)}${base === 'required' ? ' and a base model' : base === 'optional' ? ', with or without a base model' : ''}`,
    ...parameters.map(
      (parameter) =>
        `  ${parameter.name} (${parameter.scope}, ${parameter.required ? 'required' : `default ${String(parameter.default)}`}): ${parameter.description}`,
    ),
    ...(reference === undefined ? [] : [`  ${reference.title}: ${reference.url}`]),
  ]
  return `${lines.join('\n')}\n`
}

function formatCount({ min, max }: MethodDescription['models']): string {
  if (max === undefined) return `${min} or more models`
  if (min !== max) return `${min} to ${max} models`
  return `${min} ${min === 1 ? 'model' : 'models'}`
}
