import type { OwnCode } from '@mk/cli'
import { findMethod as findByName, type MethodDefinition } from '@mk/methods'
import { loadMethodModule } from '@mk/methods/node'

/** Finds a merge method by name, or loads it from the module that is given in place of a name. @throws MethodError */
export async function findMethod(
  name: string,
  methods: ReadonlyMap<string, MethodDefinition>,
  ownCode: OwnCode,
): Promise<MethodDefinition> {
  if (!methods.has(name) && /\.[cm]?[jt]s$/.test(name))
    return ownCode.load(name, () => loadMethodModule(name, process.cwd()))
  return findByName(name, methods)
}
