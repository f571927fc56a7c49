import { MergeError } from '../errors.ts'
import { listStagesOf, type MergeInputs } from '../open/merge-inputs.ts'
import { listMethods, type MergePlan, type PlannedStage } from '../plan/merge-plan.ts'
import type { PlannedRecipe, RecipeToPlan } from '../prepare/plan-recipe.ts'
import { planRecipe } from '../prepare/plan-recipe.ts'
import type { StageRecipe } from './list-merges.ts'
import type { StageModels } from './open-stages.ts'
import { withStages } from './prune-stages.ts'
import { stageCheckpoint, stageTensors } from './stage-checkpoint.ts'

/** A merge that others are made of, planned. */
export interface PreparedStage {
  readonly name: string
  /** Whether it is a sum within another recipe, which has no name. */
  readonly isSum: boolean
  /** That of the folder that it would be, were it written. */
  readonly plan: MergePlan
  readonly inputs: MergeInputs
  readonly warnings: readonly string[]
  readonly isPending: boolean
}

/** What the plans of all merges of a file share. */
export interface StagesToPlan {
  readonly stages: readonly StageRecipe[]
  readonly models: StageModels
  /** Round the tensors of each merge to the dtype that it would be written in. */
  readonly rounds: boolean
  /** All that is the same for each. */
  readonly common: Omit<RecipeToPlan, 'recipe' | 'open' | 'name'>
}

/** Planned merges, and what plans of others that read them need. */
export interface PlannedStages {
  readonly prepared: readonly PreparedStage[]
  /** All tensors of each. */
  readonly planned: readonly PlannedStage[]
}

/** Plans the merges that others are made of, one after the other: the next may read what the one before would have written. */
export async function planStages({ stages, models, rounds, common }: StagesToPlan): Promise<PlannedStages> {
  const prepared: PreparedStage[] = []
  const planned: PlannedStage[] = []
  for (const { name, reference, recipe, isSum } of stages) {
    const settings = { ...common.settings, name, copyTokenizer: true }
    const found = await planRecipe({ ...common, settings, recipe, open: models.open, name })
    const methods = await common.methods()
    const { inputs, config } = found
    if (config.outFormat === 'gguf') throw new MergeError({ code: 'stage-of-ggufs', name, where: recipe.locate([]) })
    const stage = { name, plan: found.plan, inputs, rounds: rounds && !isSum }
    models.add({
      name,
      reference,
      checkpoint: stageCheckpoint(stage),
      methods: listMethods(found.plan).map((method) => methods.get(method)!),
      inputs,
      notes: ownNotes(found),
    })
    prepared.push({
      name,
      isSum,
      plan: withStages(found.plan, planned, methods),
      inputs,
      warnings: warningsOf(name, found),
      isPending: found.isPending,
    })
    planned.push({ name, method: found.plan.method, inputs: found.plan.inputs, tensors: stageTensors(stage) })
  }
  return { prepared, planned }
}

/** Notes of a merge that are about itself, and not taken over from those that it is made of. */
function ownNotes({ plan, inputs }: PlannedRecipe): readonly string[] {
  const inherited = new Set(listStagesOf(inputs).flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)))
  return plan.notes.filter((note) => !inherited.has(note))
}

/** What is told with its place in the recipe needs no name. */
const warningsOf = (name: string, { vocabulary, warnings }: PlannedRecipe): readonly string[] =>
  warnings.map((warning) => (vocabulary.warnings.includes(warning) ? `${name}: ${warning}` : warning))
