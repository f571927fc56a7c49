import { UsageError } from '@mk/cli'
import { nearest } from '@mk/errors'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { loadMethodModule, loadMethodsOfModule } from '@mk/methods/node'

/** A merge method by name, or a module that exports one. @throws UsageError, MethodError */
export async function findMethod(name: string, modules: readonly string[]): Promise<MethodDefinition> {
  const methods = new Map(builtinMethods)
  for (const module of modules) for (const method of await loadMethodsOfModule(module)) methods.set(method.name, method)
  const found = methods.get(name)
  if (found !== undefined) return found
  if (/\.[cm]?[jt]s$/.test(name)) return loadMethodModule(name, process.cwd())
  const guess = nearest(name, [...methods.keys()])
  throw new UsageError(
    `there is no merge method '${name}'${guess === undefined ? '' : `; did you mean '${guess}'?`} (mergekit-yaml --list-methods prints them all)`,
    'unknown-method',
  )
}
