import { type CheckpointLayout, findModule, type LayoutModule } from '@mk/architecture'
import type { ModuleConfig } from '@mk/config'
import { MergeError } from '../errors.ts'
import { copyModule, listOutputTensors, type PlannedModule } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'
import { correspondingModule } from './resolve-slices.ts'

/**
 * Plans every module of the output, in the order that the donor has them.
 * @throws MergeError 'unknown-module', 'module-twice', 'ambiguous-module', and those of `resolveSlices`
 */
export function planModules(context: PlanContext): readonly PlannedModule[] {
  const { config, inputs } = context
  const layout = inputs.layouts[inputs.donor]!
  const whole = config.modules[0]
  if (whole !== undefined && whole.name === undefined) {
    const stacks = layout.modules.filter(({ layerCount }) => layerCount > 0)
    if (whole.from === 'slices' && stacks.length > 1)
      throw new MergeError({ code: 'ambiguous-module', known: namesOf(layout), where: inputs.locate(whole.path) })
    return layout.modules.map((module) => planModule(context, module, whole))
  }
  const named = findNamedModules(context)
  return layout.modules.map((module) => {
    const config = named.get(module)
    if (config !== undefined) return planModule(context, module, config)
    context.notes.add({ code: 'module-left-out', ...copiedFrom(context, module) })
    return copyModule(context, module)
  })
}

function findNamedModules({ config, inputs }: PlanContext): ReadonlyMap<LayoutModule, ModuleConfig> {
  const layout = inputs.layouts[inputs.donor]!
  const named = new Map<LayoutModule, ModuleConfig>()
  for (const moduleConfig of config.modules) {
    const name = moduleConfig.name!
    const module = findModule(layout, name)
    const where = inputs.locate(moduleConfig.path)
    if (module === undefined)
      throw new MergeError({ code: 'unknown-module', module: name, known: namesOf(layout), where })
    const twin = named.get(module)?.name
    if (twin !== undefined)
      throw new MergeError({ code: 'module-twice', module: module.names[0]!, names: [twin, name], where })
    named.set(module, moduleConfig)
  }
  return named
}

function planModule(context: PlanContext, module: LayoutModule, config: ModuleConfig): PlannedModule {
  const { inputs } = context
  const without = usedInputs(context, config).find(
    (input) => correspondingModule(inputs.layouts[input]!, module).tensors.length === 0,
  )
  if (without === undefined || inputs.layouts[inputs.donor]!.modules.length === 1)
    return listOutputTensors({ context, module, config })
  const model = inputs.labels[without]!
  if (config.name !== undefined) {
    const known = namesOf(inputs.layouts[without]!)
    const where = inputs.locate(config.path)
    throw new MergeError({ code: 'unknown-module', module: config.name, model, known, where })
  }
  context.notes.add({ code: 'module-lacking', model, ...copiedFrom(context, module) })
  return copyModule(context, module)
}

const copiedFrom = ({ inputs }: PlanContext, module: LayoutModule) => ({
  module: module.names[0] ?? module.prefix,
  donor: inputs.labels[inputs.donor]!,
})

const namesOf = ({ modules }: CheckpointLayout) => modules.flatMap(({ names }) => names.slice(0, 1))

/** Lists the positions of the models of a module and of their bases. */
export function usedInputs(
  { config, inputs }: Pick<PlanContext, 'config' | 'inputs'>,
  { slices }: ModuleConfig,
): readonly number[] {
  const bases = slices.map((slice) => slice.baseModel ?? config.baseModel).filter((model) => model !== undefined)
  return [...slices.flatMap(({ sources }) => sources.map(({ model }) => model)), ...bases].map(inputs.indexOf)
}
