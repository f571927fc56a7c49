import { architectureName, compareArchitectures, findModule, findPeriodicSettings, type LayoutModule } from '@mk/architecture'
import { type MergeConfig, type ModuleConfig, nearest } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import { MergeError } from '../errors.ts'
import { planDocuments, type DocumentOptions } from './plan-documents.ts'
import { outputDtype } from './dtypes.ts'
import { planEmbeddings, type RowPlan } from './plan-embeddings.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { MergePlan } from './merge-plan.ts'
import { planFiles, type UnplacedTensor } from './plan-files.ts'
import { checkParameterNames } from './plan-parameters.ts'
import { copyModule, moduleOf, planModule, type PlannedModule } from './plan-slices.ts'
import { noteUnused } from './note-unused.ts'
import { MissingTensors, planTensor, type TensorContext } from './plan-tensor.ts'

export interface PlanOptions {
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly seed: number
  readonly shardBytes: number
  readonly allowMixedArchitectures: boolean
  readonly rows: RowPlan | undefined
  readonly differentHeads: ReadonlySet<number>
  readonly documents: DocumentOptions
}

/**
 * Decides everything about a merge from its config and the headers of its inputs; reads and writes nothing.
 * @throws MergeError where the config and the inputs do not fit together
 */
export function planMerge(config: MergeConfig, inputs: MergeInputs, options: PlanOptions): MergePlan {
  const method = findMethod(config, inputs, options.methods)
  if (!options.allowMixedArchitectures) checkArchitectures(inputs)
  const notes: string[] = []
  const note = (text: string) => {
    if (!notes.includes(text)) notes.push(text)
  }
  checkParameterNames(config, method, options.methods, inputs).forEach(note)
  const embeddings = planEmbeddings({ inputs, rows: options.rows, differentHeads: options.differentHeads, note })
  const missing = new MissingTensors()
  const context: TensorContext = { method, inputs, dtype: outputDtype(config), embeddings, missing, note }

  const modules = planModules(config, inputs, method, note)
  const tensors: UnplacedTensor[] = []
  for (const tensor of modules.flatMap((module) => module.tensors)) {
    const planned = planTensor(tensor, context)
    if (planned !== undefined) tensors.push(planned)
  }
  missing.throwIfAny()
  const donorConfig = inputs.checkpoints[inputs.donor]!.config
  const periodic = donorConfig === undefined ? [] : findPeriodicSettings(donorConfig, modules)
  if (periodic.length > 0) note(`layers changed their places, but config.json decides by a layer's number what it is (${periodic.join(', ')}); check that the kinds still fit`)
  noteUnused(tensors, inputs, note)
  for (const checkpoint of inputs.checkpoints) checkpoint.notes.forEach(note)

  const layout = planFiles(tensors, options.shardBytes)
  const plan = {
    version: 1 as const,
    method: config.mergeMethod,
    seed: options.seed,
    inputs: inputs.checkpoints.map(({ folder }, index) => ({ label: inputs.labels[index]!, folder })),
    files: layout.files,
    tensors: layout.tensors,
  }
  return { ...plan, ...planDocuments(config, inputs, { ...options.documents, plan, index: layout.index, modules, embeddings, notes }), notes }
}

function findMethod({ mergeMethod, modules }: MergeConfig, inputs: MergeInputs, methods: ReadonlyMap<string, MethodDefinition>): MethodDefinition {
  const method = methods.get(mergeMethod)
  const where = inputs.locate(['merge_method'])
  if (method === undefined) throw new MergeError({ code: 'unknown-method', method: mergeMethod, nearest: nearest(mergeMethod, [...methods.keys()]), where })
  if (modules.every(({ slices }) => slices.length === 0)) throw new MergeError({ code: 'model-count', method: mergeMethod, expected: 'at least one model', found: 0, where })
  return method
}

function planModules(config: MergeConfig, inputs: MergeInputs, method: MethodDefinition, note: (text: string) => void): PlannedModule[] {
  const layout = inputs.layouts[inputs.donor]!
  const known = layout.modules.flatMap(({ names }) => names.slice(0, 1))
  const copied = (module: LayoutModule, why: string) => {
    note(`${why} ${module.names[0] ?? module.prefix}; it is taken from ${inputs.labels[inputs.donor]!}`)
    return copyModule(config, module, inputs)
  }
  const planned = (module: LayoutModule, moduleConfig: ModuleConfig) => {
    const without = usedInputs(config, moduleConfig, inputs).find((input) => moduleOf(inputs.layouts[input]!, module).tensors.length === 0)
    if (without !== undefined && layout.modules.length > 1) return copied(module, `${inputs.labels[without]!} has no module`)
    return planModule(config, moduleConfig, module, inputs, method)
  }
  const whole = config.modules[0]
  if (whole !== undefined && whole.name === undefined) {
    const stacks = layout.modules.filter(({ layerCount }) => layerCount > 0)
    if (whole.from === 'slices' && stacks.length > 1) throw new MergeError({ code: 'ambiguous-module', known, where: inputs.locate(whole.path) })
    return layout.modules.map((module) => planned(module, whole))
  }
  const named = new Map(
    config.modules.map((moduleConfig) => {
      const module = findModule(layout, moduleConfig.name!)
      if (module === undefined) throw new MergeError({ code: 'unknown-module', module: moduleConfig.name!, known, where: inputs.locate(moduleConfig.path) })
      return [module, moduleConfig] as const
    }),
  )
  return layout.modules.map((module) => {
    const moduleConfig = named.get(module)
    return moduleConfig === undefined ? copied(module, 'the config says nothing of module') : planned(module, moduleConfig)
  })
}

const usedInputs = (config: MergeConfig, { slices }: ModuleConfig, inputs: MergeInputs): number[] => [
  ...slices.flatMap(({ sources }) => sources.map(({ model }) => inputs.indexOf(model))),
  ...(config.baseModel === undefined ? [] : [inputs.indexOf(config.baseModel)]),
]

function checkArchitectures(inputs: MergeInputs): void {
  if (compareArchitectures(inputs.checkpoints.map(({ config }) => config)).length === 0) return
  const families = inputs.checkpoints.map(({ config }, index) => ({ model: inputs.labels[index]!, family: architectureName(config) ?? 'unknown' }))
  throw new MergeError({ code: 'mixed-architectures', families })
}
