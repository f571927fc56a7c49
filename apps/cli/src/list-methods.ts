import { describeMethods, type MethodDescription } from '@mk/methods'
import { loadMethods } from './load-methods.ts'

/** The merge methods as text or JSON, those of further modules included. */
export async function listMethods({
  json,
  modules,
}: {
  readonly json: boolean
  readonly modules: readonly string[]
}): Promise<string> {
  const methods = describeMethods((await loadMethods(modules)).values())
  return json ? `${JSON.stringify(methods, undefined, 2)}\n` : `${methods.map(formatMethod).join('\n')}`
}

function formatMethod({ name, summary, reference, base, models, parameters }: MethodDescription): string {
  const count =
    models.max === undefined
      ? `${models.min} or more models`
      : models.min === models.max
        ? `${models.min} ${models.min === 1 ? 'model' : 'models'}`
        : `${models.min} to ${models.max} models`
  const lines = [
    name,
    `  ${summary}`,
    `  ${count}${base === 'required' ? ' and a base model' : base === 'optional' ? ', with or without a base model' : ''}`,
    ...parameters.map(
      (parameter) =>
        `  ${parameter.name} (${parameter.scope}, ${parameter.required ? 'required' : `default ${String(parameter.default)}`}): ${parameter.description}`,
    ),
    ...(reference === undefined ? [] : [`  ${reference.title}: ${reference.url}`]),
  ]
  return `${lines.join('\n')}\n`
}
