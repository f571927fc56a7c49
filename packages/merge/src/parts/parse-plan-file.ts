import { findJsonExcess, type JsonLimits } from '@mk/safetensors'
import { isRecord, quoted, shortened } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { checkPlan } from './check-plan.ts'
import { unpackPlan } from './pack-plan.ts'
import { idOf, type PlanBody, type PlanFile, planFormat } from './plan-file.ts'
import { planBodySchema } from './plan-schema.ts'

/** Far more than the plan of any model has. */
const limits: JsonLimits = { depth: 64, topKeys: 16, keys: 2e7, values: 1e8, keyCharacters: 4096 }

/**
 * Reads the text of a plan file, and checks all of it: cut off, changed or made up, it is refused here and not where it is carried out.
 * @param file what errors name
 * @throws MergeError 'plan-invalid', 'plan-version'
 */
export function parsePlanFile(text: string, file: string): PlanFile {
  const fail = (problem: string, place?: string): never => {
    throw new MergeError({ code: 'plan-invalid', file, problem, ...(place !== undefined && { place }) })
  }
  const excess = findJsonExcess(text, limits)
  if (excess !== undefined) return fail(`it has ${excess}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return fail(text.trim() === '' ? 'it is empty' : 'it is no JSON, or was cut off')
  }
  if (!isRecord(value) || value['format'] !== planFormat.format) return fail('it is no plan of mk')
  const { format: _, version, id, madeAt, ...rest } = value
  if (version !== planFormat.version)
    throw new MergeError({ code: 'plan-version', file, found: quoted(version), known: planFormat.version })
  if (typeof madeAt !== 'string' || Number.isNaN(Date.parse(madeAt))) return fail('it is no time', 'madeAt')
  const { success, data, error } = planBodySchema.safeParse(rest)
  if (!success) {
    const { path, message } = error.issues[0]!
    return fail(shortened(message, 200), placeOf(path))
  }
  // What was parsed, since the schema orders keys in its own way.
  if (idOf(rest as unknown as PlanBody) !== id) return fail('it was changed after it was written')
  const { plan, ...body } = data as PlanBody
  checkPlan({ ...body, plan }, fail)
  const paths = body.files.map(({ path }) => path)
  return { id: id as string, madeAt, ...body, plan: unpackPlan(plan, paths) }
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`)).join('')
