import { issueErrorOf, quoted } from '@mk/errors'
import { builtinMethods, type MethodDefinition, MethodError } from '@mk/methods'

/**
 * Runs what is a method's own work, and names a method of the user's where that fails: neither its stack nor its result is
 * anything that this program could mend.
 * @throws MethodError `own-method-failed`; what else `run` throws of these packages
 */
export async function asMethod<T>(method: MethodDefinition, tensor: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isOwn = builtinMethods.get(method.name) !== method
    // An expression that can't be is the method's, too; files that can't be read are not.
    if (
      !isOwn ||
      (issueErrorOf(error) !== undefined && !['TensorError', 'LinalgError'].includes(issueErrorOf(error)!.name))
    )
      throw error
    throw new MethodError(
      { code: 'own-method-failed', method: method.name, tensor, problem: describe(error) },
      { cause: error },
    )
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${typeof error === 'object' ? quoted(error) : String(error)}`
  const [, place] = /\((file:[^)]+)\)|at (file:\S+)/.exec(error.stack ?? '')?.[0]?.match(/(file:[^)\s]+)/) ?? []
  const isHere = place === undefined || /\/(?:node_modules\/)?(?:@mk|packages|apps)\/[^/]+\/dist\//.test(place)
  return isHere ? error.message : `${error.message} (${place})`
}
