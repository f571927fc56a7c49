import { type Checkpoint, fileRole, formatPythonJson } from '@mk/checkpoint'
import type { MergePlan } from '../plan/merge-plan.ts'
import { type CardFacts, modelCard } from '../plan/model-card.ts'
import { outputNames, tellsUse } from '../plan/output-names.ts'
import type { PlanContext } from '../plan/plan-context.ts'
import { outputGenerationConfig, planTakenFiles, withTokenIds } from '../plan/plan-documents.ts'
import { planFiles } from '../plan/plan-files.ts'
import { plannedInputs } from '../plan/planned-inputs.ts'
import type { Assembly, AssemblyRequest } from './assembly.ts'

/** Gives every tensor of an assembly its place, and plans the small files of the output: those of the donor, config.json, recipe and card. */
export function planAssembly(
  context: PlanContext,
  { tensors, config, floats = [], notes, warnings }: Assembly,
  { name: recipeName }: AssemblyRequest['recipe'],
): MergePlan {
  const { inputs, options } = context
  const method = context.methods[0]!.name
  for (const text of notes) context.notes.add({ code: 'of-config', text })
  const taken = planTakenFiles(context)
  const { copies } = taken
  const recorded = copies.map(({ name }) => name).filter((name) => !tellsUse(name))
  const layout = planFiles(tensors, options.shardBytes, recorded)
  const documents = [...(options.copyTokenizer ? options.vocabulary.documents : []), ...taken.documents]
  const add = (name: string | undefined, text: string | undefined) => {
    if (name !== undefined && text !== undefined) documents.push({ name, text })
  }
  add(outputNames.index, layout.index)
  add(
    outputNames.config,
    config &&
      formatPythonJson(
        withTokenIds(config, outputNames.config, options.vocabulary.tokenIds),
        literalsOf(inputs.checkpoints[inputs.donor]!, config, floats),
      ),
  )
  add('generation_config.json', outputGenerationConfig(context))
  add(recipeName, options.text)
  if (options.writeModelCard) {
    const fileNames = new Set([...documents, ...copies].map(({ name }) => name))
    const facts: CardFacts = {
      method,
      tensors: layout.tensors,
      fileNames,
      hasTokenizer: [...fileNames].some((name) => fileRole(name) === 'vocabulary'),
      ...(config && { config }),
    }
    add(outputNames.card, modelCard(context, facts))
  }
  return {
    version: 1,
    method,
    seed: options.seed,
    inputs: plannedInputs(inputs),
    files: layout.files,
    tensors: layout.tensors,
    documents,
    copies,
    notes: [...options.vocabulary.notes, ...context.notes.texts()],
    warnings,
  }
}

/** Numbers as they stand in the donor's config.json, and those that are to be floats. */
function literalsOf(
  { documents }: Checkpoint,
  config: Readonly<Record<string, unknown>>,
  floats: readonly string[],
): string {
  const { text, value } = documents.get('config.json') ?? { text: '{}', value: {} }
  const added = floats.flatMap((key) => {
    const number = config[key]
    if (typeof number !== 'number' || key in value) return []
    return [`${JSON.stringify(key)}: ${number}${Number.isInteger(number) ? '.0' : ''}`]
  })
  if (added.length === 0) return text
  return text.trimEnd().replace(/\}$/, `${Object.keys(value).length === 0 ? '' : ', '}${added.join(', ')}}`)
}
