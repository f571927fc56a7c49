import { countMatrices, tensorParameters } from '@mk/methods'
import { mainMethod } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'

/** Notes the matrices that are averaged since none of the files that a method goes by has anything for them. */
export function noteAveraged(
  { config, methodCalled, notes }: PlanContext,
  tensors: readonly Pick<UnplacedTensor, 'name' | 'shape' | 'operation'>[],
): void {
  const found = new Map<string, string[]>()
  for (const { name, shape, operation } of tensors) {
    if (operation.kind !== 'merge' || countMatrices(name, shape) === 0) continue
    const called = operation.method ?? mainMethod(config)
    const parameters = tensorParameters(methodCalled(called), 'matrix')
    if (parameters.every((parameter) => operation.tensors?.[parameter] !== undefined)) continue
    found.set(called, [...(found.get(called) ?? []), name])
  }
  for (const [method, names] of found) notes.add({ code: 'averaged-without', method, names })
}
