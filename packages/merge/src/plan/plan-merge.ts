import { findPeriodicSettings, listLayerDoubts } from '@mk/architecture'
import type { MergeConfig } from '@mk/config'
import { findMethod, tensorParameters } from '@mk/methods'
import { listMethodChoices } from '@mk/params'
import { listStagesOf, type MergeInputs } from '../open/merge-inputs.ts'
import { checkArchitectures } from './check-architectures.ts'
import { checkLayers } from './check-layers.ts'
import { checkNames } from './check-names.ts'
import { checkStacks } from './check-stacks.ts'
import { cropToEachOther } from './crop-embeddings.ts'
import { findIdleModels } from './find-idle-models.ts'
import { findIdleSettings } from './find-idle-settings.ts'
import type { OutputTensor, PlannedModule } from './list-output-tensors.ts'
import { tellsUse } from './output-names.ts'
import { noteAveraged } from './note-averaged.ts'
import { noteSettings } from './note-settings.ts'
import { noteUnused } from './note-unused.ts'
import { NoteList } from './notes.ts'
import { mainMethod, type MergePlan } from './merge-plan.ts'
import type { PlanContext, PlanOptions } from './plan-context.ts'
import { planDocuments, planTakenFiles } from './plan-documents.ts'
import { type EmbeddingPlan, planEmbeddings } from './plan-embeddings.ts'
import { placeShards, planFiles, type UnplacedTensor } from './plan-files.ts'
import { plannedInputs } from './planned-inputs.ts'
import { planHead } from './plan-head.ts'
import { planModules } from './plan-modules.ts'
import { checkParameterNames, createParameterResolver } from './plan-parameters.ts'
import { planTensor } from './plan-tensor.ts'
import { findTakenShards } from './taken-files.ts'
import { MissingTensors, SetAsideTensors } from './unmerged-tensors.ts'

/**
 * Decides everything about a merge from its config and the headers of its inputs; reads and writes nothing.
 * @throws MergeError, MethodError where the config and the inputs do not fit together
 */
export function planMerge(config: MergeConfig, inputs: MergeInputs, options: PlanOptions): MergePlan {
  const found = new Map(
    listMethodChoices(config).map(({ method, path }) => [
      method,
      findMethod(method, options.methods, inputs.locate(path)),
    ]),
  )
  const notes = new NoteList()
  for (const { name, notes: ofStage } of listStagesOf(inputs))
    for (const text of ofStage) notes.add({ code: 'of-stage', stage: name, text })
  const start = {
    config,
    inputs,
    methods: [...new Set(found.values())],
    methodCalled: (name: string) => found.get(name)!,
    options,
    notes,
  }
  const context: PlanContext = { ...start, textParts: checkArchitectures(start) }
  checkNames(context)
  checkParameterNames(context)

  const modules = planModules(context)
  for (const module of modules) checkLayers(context, module)
  checkStacks(context, modules)
  const head = planHead(context, modules)
  const embeddings = planEmbeddings(context, head)
  const tensors = planTensors(context, head.outputs, embeddings)
  noteMovedLayers(context, modules)
  for (const module of modules) noteSettings(context, module)
  noteAveraged(context, tensors.planned)
  tensors.setAside.notes().forEach((note) => notes.add(note))
  noteUnused(context, tensors.planned, tensors.setAside)
  inputs.checkpoints.forEach((checkpoint, input) => {
    for (const text of checkpoint.notes) notes.add({ code: 'of-checkpoint', text })
    for (const text of inputs.layouts[input]!.notes)
      notes.add({ code: 'of-layout', model: inputs.labels[input]!, text })
  })

  const taken = planTakenFiles(context)
  const { copies } = taken
  const recorded = [...taken.documents, ...copies].map(({ name }) => name).filter((name) => !tellsUse(name))
  const method = mainMethod(config)
  const shards =
    options.shardBytes === undefined && config.outFormat === 'safetensors'
      ? findTakenShards(tensors.planned, method, (input) => inputs.checkpoints[input]!.tensors.size)
      : undefined
  const layout =
    shards === undefined ? planFiles(tensors.planned, options.shardBytes, recorded) : placeShards(shards, recorded)
  const plan = {
    version: 1 as const,
    method,
    seed: options.seed,
    inputs: plannedInputs(inputs),
    files: layout.files,
    tensors: layout.tensors,
  }
  return {
    ...plan,
    documents: planDocuments(context, { plan, index: layout.index, modules, embeddings }, taken),
    copies,
    notes: [...options.vocabulary.notes, ...notes.texts()],
    warnings: [findIdleSettings, findIdleModels].flatMap((find) => find(context, head.outputs, tensors.planned)),
  }
}

function planTensors(
  context: PlanContext,
  outputs: readonly OutputTensor[],
  embeddings: EmbeddingPlan,
): { readonly planned: readonly UnplacedTensor[]; readonly setAside: SetAsideTensors } {
  const missing = new MissingTensors()
  const setAside = new SetAsideTensors()
  const resolve = createParameterResolver(context.inputs)
  const takeFiles = new Set(context.methods.filter((method) => tensorParameters(method).length > 0))
  const ofTensors = { ...context, embeddings, missing, setAside, resolve, takeFiles }
  const found = outputs.map((tensor) => planTensor(tensor, ofTensors))
  missing.throwIfAny()
  const planned = found.filter((tensor) => tensor !== undefined)
  return {
    planned: context.options.vocabulary.rows === undefined ? cropToEachOther(context, outputs, planned) : planned,
    setAside,
  }
}

function noteMovedLayers({ inputs, notes }: PlanContext, modules: readonly PlannedModule[]): void {
  const { config } = inputs.checkpoints[inputs.donor]!
  if (config === undefined) return
  const settings = findPeriodicSettings(config, modules)
  if (settings.length > 0) notes.add({ code: 'layers-moved', settings })
  for (const text of listLayerDoubts(config, modules)) notes.add({ code: 'of-config', text })
}
