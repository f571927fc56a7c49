import type { LayoutModule } from '@mk/architecture'
import { operationInputs } from './merge-plan.ts'
import type { MergeNote } from './notes.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'
import type { SetAsideTensors } from './unmerged-tensors.ts'

/** Notes what of the models no output tensor is made from and no other note names: whole layers by number, other tensors by name. */
export function noteUnused(
  { inputs, notes }: PlanContext,
  tensors: readonly UnplacedTensor[],
  setAside: SetAsideTensors,
): void {
  const used = inputs.checkpoints.map(() => new Set<string>())
  for (const { operation } of tensors) for (const { input, name } of operationInputs(operation)) used[input]?.add(name)
  inputs.layouts.forEach(({ modules }, input) => {
    const model = inputs.labels[input]!
    if (used[input]!.size === 0 && inputs.checkpoints[input]!.tensors.size > 0)
      return notes.add({ code: 'nothing-used', model, isDonor: input === inputs.donor })
    const isNamed = (name: string) => used[input]!.has(name) || setAside.has(input, name)
    for (const module of modules) for (const note of unusedOf(model, module, used[input]!, isNamed)) notes.add(note)
  })
}

function unusedOf(
  model: string,
  { prefix, tensors }: LayoutModule,
  used: ReadonlySet<string>,
  isNamed: (name: string) => boolean,
): MergeNote[] {
  if (tensors.every(({ name }) => isNamed(name))) return []
  const unused = tensors.filter(({ name }) => !isNamed(name))
  const partly = new Set(tensors.filter(({ name }) => used.has(name)).map(({ layer }) => layer))
  const isWhole = (layer: number | undefined): layer is number => layer !== undefined && !partly.has(layer)
  const layers = [...new Set(unused.map(({ layer }) => layer))].filter(isWhole)
  const names = unused.filter(({ layer }) => !isWhole(layer)).map(({ name }) => name)
  return [
    ...(layers.length > 0 ? [{ code: 'layers-not-used', model, layers, module: prefix.slice(0, -1) } as const] : []),
    ...(names.length > 0 ? [{ code: 'tensors-not-used', model, names } as const] : []),
  ]
}
