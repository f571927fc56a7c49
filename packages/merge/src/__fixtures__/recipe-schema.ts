import { readConfig } from '@mk/config'
import { issueErrorOf } from '@mk/errors'

/** What a schema can see of a recipe. */
const seen = ['recipe-faults', 'unknown-method', 'unknown-parameter', 'invalid-parameter', 'base-required']

/** Expects the JSON Schema to refuse a recipe that was refused for what stands in it. */
export async function expectSchemaRefuses(text: string, reason: unknown): Promise<void> {
  const error = issueErrorOf(reason)
  if (error === undefined || !seen.includes(error.code)) return
  const [{ Ajv }, { recipeSchema }] = await Promise.all([import('ajv'), import('../schema/recipe-schema.ts')])
  const validate = new Ajv({ allowUnionTypes: true }).compile(recipeSchema())
  if (validate(readConfig(text).document))
    throw new Error(`the JSON Schema accepts what is refused with: ${error.message}`, { cause: reason })
}
