import { quoted } from '@mk/errors'

/** Says what keeps a value from being a MethodDefinition; undefined if nothing does. */
export function whyNoMethod(value: unknown): string | undefined {
  if (!isRecord(value)) return `it is ${value === null ? 'null' : `a ${typeof value}`}, not an object`
  const { name, summary, base, models, parameters, examples, draws, merge } = value
  if (typeof name !== 'string' || !/^[A-Za-z]\w*$/.test(name))
    return `its name is ${show(name)}; expected letters, digits and _`
  if (typeof summary !== 'string') return `'${name}' has no summary`
  if (base !== 'required' && base !== 'optional' && base !== 'none')
    return `'${name}' has base ${show(base)}; expected 'required', 'optional' or 'none'`
  if (!isRecord(models) || !isCount(models['min']))
    return `'${name}' does not say how many models it takes; expected models: { min, max? }`
  if (models['max'] !== undefined && !(isCount(models['max']) && models['max'] >= models['min']))
    return `'${name}' has models.max ${show(models['max'])}`
  if (typeof merge !== 'function') return `'${name}' has no merge function`
  if (!isRecord(parameters)) return `'${name}' has no parameters; expected parameters: { perModel, methodWide }`
  for (const scope of ['perModel', 'methodWide'] as const) {
    const schemas = parameters[scope]
    if (!isRecord(schemas))
      return `'${name}' has no parameters.${scope}; expected an object of zod types, which may be empty`
    const wrong = Object.keys(schemas).find((parameter) => !isSchema(schemas[parameter]))
    if (wrong !== undefined) return `'${name}' has parameters.${scope}.${wrong}, which is no zod 4 type`
  }
  if (examples !== undefined && !(Array.isArray(examples) && examples.every(isRecord)))
    return `'${name}' has examples ${show(examples)}; expected a list of objects of parameters`
  if (draws !== undefined && typeof draws !== 'function')
    return `'${name}' has draws ${show(draws)}; expected a function of the parameters`
  const twice = Object.keys(parameters['perModel'] as object).find(
    (parameter) => parameter in (parameters['methodWide'] as object),
  )
  return twice === undefined ? undefined : `'${name}' has the parameter '${twice}' both per model and method-wide`
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0
const isSchema = (value: unknown): boolean =>
  isRecord(value) && '_zod' in value && typeof value['safeParse'] === 'function'
const show = (value: unknown): string => (typeof value === 'function' ? 'a function' : quoted(value))
