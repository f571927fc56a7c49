import { register } from 'node:module'

/**
 * A user's module may lie anywhere, where the packages it imports cannot be found. These it then gets from here, the same
 * copies that the program uses.
 */
const ownPackages = ['@mk/methods', '@mk/tensor', 'zod', 'zod/mini']

/** Tells whether an import failed because one of these packages was not found. */
export const isMissingOwnPackage = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'ERR_MODULE_NOT_FOUND' &&
  ownPackages.some((name) => error.message.includes(`'${name}'`))

/**
 * Lets imports of these names that cannot be resolved otherwise resolve to ours, from now on and in the whole process.
 * @returns whether there are packages to give: of a bundle they are a part
 */
export function provideOwnPackages(): boolean {
  let targets: Readonly<Record<string, string>>
  try {
    targets = Object.fromEntries(ownPackages.map((name) => [name, import.meta.resolve(name)]))
  } catch {
    return false
  }
  register(`data:text/javascript,${encodeURIComponent(fallbackHooks(targets))}`)
  return true
}

/** Writes the source of a module of hooks, see https://nodejs.org/api/module.html#hooks */
export const fallbackHooks = (targets: Readonly<Record<string, string>>): string => `
const targets = ${JSON.stringify(targets)}
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!Object.hasOwn(targets, specifier)) throw error
    return { url: targets[specifier], shortCircuit: true }
  }
}`
