import { findPeriodicSettings, findUnreadableLayers, type LayerInPlace } from '@mk/architecture'
import { MergeError } from '../errors.ts'
import type { UnreadableStack } from './issues.ts'
import type { PlannedModule } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'
import { describedSource } from './resolve-slices.ts'

/**
 * Checks that layers which change their places are what config.json, made to fit, can say of these places: where a class decides
 * by a layer's number alone which tensors it has, no loader could read the output.
 * @throws MergeError 'stack-unreadable', unless that is allowed; then it is a note
 */
export function checkStacks({ inputs, notes, options }: PlanContext, modules: readonly PlannedModule[]): void {
  const { config } = inputs.checkpoints[inputs.donor]!
  if (config === undefined) return
  const stacks = findUnreadableLayers(config, modules).map(({ path, layers, partByLayer }): UnreadableStack => {
    const module = modules.find(({ module: { layerPrefix } }) => layerPrefix === `${path}.`)!
    const models = module.slices.flatMap((slice) =>
      Array.from({ length: slice.layerCount }, () => inputs.labels[describedSource(inputs, slice).input]!),
    )
    const settings = findPeriodicSettings(config, [module])
    return { path, layers: layers.map((layer) => ofModel(layer, models)), partByLayer, settings }
  })
  if (stacks.length === 0) return
  if (!options.allowMixedArchitectures) throw new MergeError({ code: 'stack-unreadable', stacks })
  for (const stack of stacks) notes.add({ code: 'stack-unreadable', stack })
}

const ofModel = ({ place, layer, missing, shapes }: LayerInPlace, models: readonly string[]) => ({
  place,
  layer,
  model: models[place]!,
  missing,
  shapes,
})
