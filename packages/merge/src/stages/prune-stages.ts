import type { MethodDefinition } from '@mk/methods'
import { mergedSources } from '@mk/source'
import { checkStagesStream } from '../plan/check-matrices.ts'
import { type MergePlan, operationInputs, type PlannedStage, plannedSources } from '../plan/merge-plan.ts'

/**
 * Gives a plan the stages that it reads, and of each only the tensors that are read.
 * @param stages all there are, each after those that it is made of
 * @throws MergeError 'stage-of-matrices'
 */
export function withStages(
  plan: MergePlan,
  stages: readonly PlannedStage[],
  methods: ReadonlyMap<string, MethodDefinition>,
): MergePlan {
  const wanted = new Map<string, Set<string>>()
  const want = (sources: Parameters<typeof mergedSources>[0]) => {
    for (const { stage, tensor } of mergedSources(sources)) {
      const names = wanted.get(stage) ?? new Set()
      wanted.set(stage, names.add(tensor))
    }
  }
  want(plannedSources({ tensors: plan.tensors, ...(plan.counted && { counted: plan.counted }) }))
  const kept = stages.toReversed().flatMap((stage): PlannedStage[] => {
    const names = wanted.get(stage.name)
    if (names === undefined) return []
    const tensors = stage.tensors.filter(({ name }) => names.has(name))
    want(tensors.flatMap(({ operation }) => operationInputs(operation).map(({ source }) => source)))
    return [{ ...stage, tensors }]
  })
  checkStagesStream(kept, methods)
  return kept.length === 0 ? plan : { ...plan, stages: kept.toReversed() }
}
