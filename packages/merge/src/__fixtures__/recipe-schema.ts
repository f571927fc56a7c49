import { readRecipes } from '@mk/config'
import { issueErrorOf } from '@mk/errors'

/** What a schema can see of a recipe. */
const seen = ['recipe-faults', 'unknown-method', 'unknown-parameter', 'invalid-parameter', 'base-required']

/** Takes a while, so it is done once and only where a recipe is refused. */
let compiled: ReturnType<typeof compile> | undefined
async function compile() {
  const [{ Ajv }, { recipeSchema }] = await Promise.all([import('ajv'), import('../schema/recipe-schema.ts')])
  return new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(recipeSchema())
}

/** Expects the JSON Schema to refuse a recipe that was refused for what stands in it. */
export async function expectSchemaRefuses(text: string, reason: unknown): Promise<void> {
  const error = issueErrorOf(reason)
  if (error === undefined || !seen.includes(error.code)) return
  const documents = readRecipes(text).recipes.map(({ document }) => document)
  // Whether a filter matches anything only the models tell.
  const hasSeveral = (document: unknown) =>
    Array.isArray((document as { readonly merge_method?: unknown } | undefined)?.merge_method)
  if (error.code === 'base-required' && documents.some(hasSeveral)) return
  compiled ??= compile()
  const validate = await compiled
  if (documents.every((document) => validate(document)))
    throw new Error(`the JSON Schema accepts what is refused with: ${error.message}`, { cause: reason })
}
