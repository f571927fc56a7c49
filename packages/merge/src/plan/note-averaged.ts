import { countMatrices, tensorParameters } from '@mk/methods'
import { mainMethod } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'

/** Notes the matrices that are averaged since none of the files that a method goes by has anything for them. */
export function noteAveraged(
  { config, methodCalled, notes }: PlanContext,
  tensors: readonly Pick<UnplacedTensor, 'name' | 'shape' | 'operation'>[],
): void {
  const main = mainMethod(config)
  const found = new Map<string, string[]>()
  const ofMethods = new Map<string, readonly string[]>()
  const matrixParameters = (called: string): readonly string[] => {
    const known = ofMethods.get(called) ?? tensorParameters(methodCalled(called), 'matrix')
    ofMethods.set(called, known)
    return known
  }
  for (const { name, shape, operation } of tensors) {
    if (operation.kind !== 'merge') continue
    const called = operation.method ?? main
    const parameters = matrixParameters(called)
    if (parameters.every((parameter) => operation.tensors?.[parameter] !== undefined)) continue
    if (countMatrices(name, shape) === 0) continue
    const names = found.get(called)
    if (names === undefined) found.set(called, [name])
    else names.push(name)
  }
  for (const [method, names] of found) notes.add({ code: 'averaged-without', method, names })
}
