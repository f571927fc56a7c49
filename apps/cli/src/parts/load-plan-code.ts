import type { RuntimeSpecifier } from '@mk/merge'
import type { MappedPath, PlanFile } from '@mk/merge/parts'
import type { MethodDefinition } from '@mk/methods'
import { loadMethods } from '../commands/load-methods.ts'
import { createOwnCode, type OwnCode } from '../commands/own-code.ts'
import { checkRuntime, findRuntime } from '../runtimes/find-runtime.ts'

/** What may be said of what carries a plan out, beside the plan. */
export interface PlanCodeOptions {
  /** The device, if not the one that the plan is for: then it is refused where the plan is carried out. */
  readonly device?: string | undefined
  /** Files with merge methods of one's own. */
  readonly methodModule?: readonly string[] | undefined
  /** Whether the modules that the plan names may run. */
  readonly allowCode?: boolean | undefined
  /** Where modules are seen from here. */
  readonly mapPaths?: readonly MappedPath[] | undefined
  /** Watches over what is loaded. */
  readonly ownCode?: OwnCode
  readonly verbose?: boolean
}

/** Loads what carries a plan out: its methods, and the runtime of its device. @throws MethodError; CommandError 'unknown-device', 'device-unavailable' */
export async function loadPlanCode(
  { runtime: planned, methods: needed }: PlanFile,
  { device, methodModule, allowCode, mapPaths = [], ownCode = createOwnCode(), verbose = false }: PlanCodeOptions = {},
): Promise<{ readonly methods: ReadonlyMap<string, MethodDefinition>; readonly runtime: RuntimeSpecifier }> {
  const { mapPath, runtimeLabel } = await import('./merging-parts.ts')
  const name = device ?? runtimeLabel(planned)
  const runtime = await checkRuntime(name, findRuntime(name, { verbose }))
  const methods = new Map(await loadMethods(methodModule, ownCode))
  for (const { name: method, code, module } of needed) {
    if (methods.get(method)?.code === code) continue
    // A recipe calls a method by its module.
    const same = [...methods.values()].find((other) => other.code === code)
    if (same !== undefined) methods.set(method, same)
    else if (allowCode === true && module !== undefined) {
      const { loadMethodModule } = await import('../commands/merging.ts')
      const file = mapPath(module, mapPaths) ?? module
      methods.set(method, await ownCode.load(file, () => loadMethodModule(file, process.cwd())))
    }
  }
  return { methods, runtime }
}
