import { findMethod as findByName, type MethodDefinition } from '@mk/methods'
import { loadMethodModule } from '@mk/methods/node'

/** Finds a merge method by name, or loads it from the module that is given in place of a name. @throws MethodError */
export async function findMethod(
  name: string,
  methods: ReadonlyMap<string, MethodDefinition>,
): Promise<MethodDefinition> {
  if (!methods.has(name) && /\.[cm]?[jt]s$/.test(name)) return loadMethodModule(name, process.cwd())
  return findByName(name, methods)
}
