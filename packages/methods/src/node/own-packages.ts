import { register } from 'node:module'

/**
 * A user's module may lie anywhere, where the packages it imports cannot be found. These it then gets as @mk/methods itself does, the
 * same copies that the program uses, unless it is a bundle.
 */
const ownPackages = ['@mk/methods', '@mk/tensor', 'zod', 'zod/mini']

/** Tells whether an import failed because one of these packages was not found. */
export const isMissingOwnPackage = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'ERR_MODULE_NOT_FOUND' &&
  ownPackages.some((name) => error.message.includes(`'${name}'`))

/**
 * Lets imports of these names that cannot be resolved otherwise resolve as if @mk/methods asked, from now on and in the whole process.
 * @returns whether there are packages to give: a bundle may be all that there is
 */
export function provideOwnPackages(): boolean {
  let origin: string
  try {
    origin = import.meta.resolve('@mk/methods')
  } catch {
    return false
  }
  register(`data:text/javascript,${encodeURIComponent(fallbackHooks(origin))}`)
  return true
}

/** Writes the source of a module of hooks, see https://nodejs.org/api/module.html#hooks. @param origin whose imports are taken for those of others */
export const fallbackHooks = (origin: string): string => `
const names = ${JSON.stringify(ownPackages)}
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!names.includes(specifier)) throw error
    return next(specifier, { ...context, parentURL: ${JSON.stringify(origin)} })
  }
}`
