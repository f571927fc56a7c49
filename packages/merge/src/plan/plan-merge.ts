import {
  architectureName,
  type CheckpointLayout,
  compareArchitectures,
  findModule,
  findPeriodicSettings,
  type LayoutModule,
} from '@mk/architecture'
import type { MergeConfig, ModuleConfig } from '@mk/config'
import { nearest } from '@mk/errors'
import type { MethodDefinition } from '@mk/methods'
import { MergeError } from '../errors.ts'
import { planDocuments, type DocumentOptions } from './plan-documents.ts'
import { outputDtype } from './dtypes.ts'
import { cropToEachOther, planEmbeddings, type StoredHeads } from './plan-embeddings.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { MergePlan } from './merge-plan.ts'
import { planFiles } from './plan-files.ts'
import { checkParameterNames } from './plan-parameters.ts'
import type { RowPlan } from './plan-rows.ts'
import { copyModule, moduleOf, type OutputTensor, planModule, type PlannedModule } from './plan-slices.ts'
import { noteUnused } from './note-unused.ts'
import { planTensor, type TensorContext } from './plan-tensor.ts'
import { MissingTensors, SetAsideTensors } from './unmerged-tensors.ts'

export interface PlanOptions {
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly seed: number
  readonly shardBytes: number
  readonly allowMixedArchitectures: boolean
  readonly rows: RowPlan | undefined
  readonly heads: StoredHeads
  readonly documents: DocumentOptions
}

/**
 * Decides everything about a merge from its config and the headers of its inputs; reads and writes nothing.
 * @throws MergeError where the config and the inputs do not fit together
 */
export function planMerge(config: MergeConfig, inputs: MergeInputs, options: PlanOptions): MergePlan {
  const method = findMethod(config, inputs, options.methods)
  const { allowMixedArchitectures, rows, heads } = options
  if (!allowMixedArchitectures) checkArchitectures(config, inputs)
  const notes: string[] = []
  const note = (text: string) => {
    if (!notes.includes(text)) notes.push(text)
  }
  checkParameterNames(config, method, options.methods, inputs).forEach(note)

  const modules = planModules(config, inputs, method, note)
  const ownHead = headDonors(config, inputs)
  const outputs = withHead(withoutRepetition(modules.flatMap((module) => module.tensors)), ownHead, config)
  const merged = new Set(
    outputs.flatMap(({ base, models }) => [
      ...(base === undefined ? [] : [base.input]),
      ...models.map(({ input }) => input),
    ]),
  )
  const embeddings = planEmbeddings({ inputs, merged, rows, heads, ownHead, note })
  const missing = new MissingTensors()
  const setAside = new SetAsideTensors()
  const context: TensorContext = {
    method,
    inputs,
    dtype: outputDtype(config),
    allowMixedArchitectures,
    embeddings,
    missing,
    setAside,
  }
  const planned = outputs.map((tensor) => planTensor(tensor, context)).filter((tensor) => tensor !== undefined)
  missing.throwIfAny()
  const tensors = rows === undefined ? cropToEachOther(planned, inputs, note) : planned

  const donorConfig = inputs.checkpoints[inputs.donor]!.config
  const periodic = donorConfig === undefined ? [] : findPeriodicSettings(donorConfig, modules)
  if (periodic.length > 0)
    note(
      `layers changed their places, but config.json decides by a layer's number what it is (${periodic.join(', ')}); check that the kinds still fit`,
    )
  setAside.notes().forEach(note)
  noteUnused(tensors, setAside, inputs, note)
  inputs.checkpoints.forEach((checkpoint, input) => {
    checkpoint.notes.forEach(note)
    for (const text of inputs.layouts[input]!.notes) note(`${inputs.labels[input]!}: ${text}`)
  })

  const layout = planFiles(tensors, options.shardBytes)
  const plan = {
    version: 1 as const,
    method: config.mergeMethod,
    seed: options.seed,
    inputs: inputs.checkpoints.map(({ folder }, index) => ({ label: inputs.labels[index]!, folder })),
    files: layout.files,
    tensors: layout.tensors,
  }
  return {
    ...plan,
    ...planDocuments(config, inputs, { ...options.documents, plan, index: layout.index, modules, embeddings, notes }),
    notes,
  }
}

/** Inputs may disagree on where a tensor belongs, but an output has it once. */
function withoutRepetition(tensors: readonly OutputTensor[]): OutputTensor[] {
  const names = new Set<string>()
  return tensors.filter(({ name }) => names.size < names.add(name).size)
}

/** Models that donate nothing but what follows the layers: a last slice without layers, of another model than the first slice's. */
function headDonors({ modules }: MergeConfig, inputs: MergeInputs): readonly number[] {
  const slices = modules[0]?.slices ?? []
  const [first, last] = [slices[0], slices.at(-1)].map((slice) =>
    slice?.sources.map(({ model }) => inputs.indexOf(model)),
  )
  const isEmpty = slices
    .at(-1)
    ?.sources.every(({ layerRange }) => layerRange !== undefined && layerRange[0] === layerRange[1])
  return isEmpty === true && first!.join() !== last!.join() ? last! : []
}

/** Adds the head that tied models do not store, where the config asks for one of its own. */
function withHead(
  outputs: readonly OutputTensor[],
  ownHead: readonly number[],
  config: MergeConfig,
): readonly OutputTensor[] {
  if (
    ownHead.length === 0 ||
    outputs.some(({ role }) => role === 'head') ||
    !outputs.some(({ role }) => role === 'embedding')
  )
    return outputs
  const name = 'lm_head.weight'
  const blocks = [config.parameters]
  const models = ownHead.map((input) => ({ input, name: undefined, expectedName: name, blocks }))
  return [...outputs, { name, role: 'head', vocabularyAxis: 0, depth: 0, base: undefined, models, blocks, path: [] }]
}

function findMethod(
  { mergeMethod, modules }: MergeConfig,
  inputs: MergeInputs,
  methods: ReadonlyMap<string, MethodDefinition>,
): MethodDefinition {
  const method = methods.get(mergeMethod)
  const where = inputs.locate(['merge_method'])
  if (method === undefined)
    throw new MergeError({
      code: 'unknown-method',
      method: mergeMethod,
      nearest: nearest(mergeMethod, [...methods.keys()]),
      where,
    })
  if (modules.every(({ slices }) => slices.length === 0))
    throw new MergeError({ code: 'model-count', method: mergeMethod, expected: 'at least one model', found: 0, where })
  return method
}

function planModules(
  config: MergeConfig,
  inputs: MergeInputs,
  method: MethodDefinition,
  note: (text: string) => void,
): PlannedModule[] {
  const layout = inputs.layouts[inputs.donor]!
  const known = namesOf(layout)
  const copied = (module: LayoutModule, why: string) => {
    note(`${why} ${module.names[0] ?? module.prefix}; it is taken from ${inputs.labels[inputs.donor]!}`)
    return copyModule(config, module, inputs)
  }
  const planned = (module: LayoutModule, moduleConfig: ModuleConfig) => {
    const without = usedInputs(config, moduleConfig, inputs).find(
      (input) => moduleOf(inputs.layouts[input]!, module).tensors.length === 0,
    )
    if (without === undefined || layout.modules.length === 1)
      return planModule(config, moduleConfig, module, inputs, method)
    if (moduleConfig.name === undefined) return copied(module, `${inputs.labels[without]!} has no module`)
    const ofModel = { known: namesOf(inputs.layouts[without]!), model: inputs.labels[without]! }
    throw new MergeError({
      code: 'unknown-module',
      module: moduleConfig.name,
      ...ofModel,
      where: inputs.locate(moduleConfig.path),
    })
  }
  const whole = config.modules[0]
  if (whole !== undefined && whole.name === undefined) {
    const stacks = layout.modules.filter(({ layerCount }) => layerCount > 0)
    if (whole.from === 'slices' && stacks.length > 1)
      throw new MergeError({ code: 'ambiguous-module', known, where: inputs.locate(whole.path) })
    return layout.modules.map((module) => planned(module, whole))
  }
  const named = new Map<LayoutModule, ModuleConfig>()
  for (const moduleConfig of config.modules) {
    const name = moduleConfig.name!
    const module = findModule(layout, name)
    const where = inputs.locate(moduleConfig.path)
    if (module === undefined) throw new MergeError({ code: 'unknown-module', module: name, known, where })
    const twin = named.get(module)?.name
    if (twin !== undefined)
      throw new MergeError({ code: 'module-twice', module: module.names[0]!, names: [twin, name], where })
    named.set(module, moduleConfig)
  }
  return layout.modules.map((module) => {
    const moduleConfig = named.get(module)
    return moduleConfig === undefined
      ? copied(module, 'the config says nothing of module')
      : planned(module, moduleConfig)
  })
}

const namesOf = ({ modules }: CheckpointLayout) => modules.flatMap(({ names }) => names.slice(0, 1))

/** Positions of the models of a module and of their bases. */
function usedInputs({ baseModel }: MergeConfig, { slices }: ModuleConfig, inputs: MergeInputs): number[] {
  const bases = slices.map((slice) => slice.baseModel ?? baseModel).filter((model) => model !== undefined)
  return [...slices.flatMap(({ sources }) => sources.map(({ model }) => model)), ...bases].map(inputs.indexOf)
}

function checkArchitectures(config: MergeConfig, inputs: MergeInputs): void {
  const used = new Set([inputs.donor, ...config.modules.flatMap((module) => usedInputs(config, module, inputs))])
  const checked = [...used]
    .toSorted((a, b) => a - b)
    .map((index) => ({ model: inputs.labels[index]!, config: inputs.checkpoints[index]!.config }))
  if (compareArchitectures(checked.map((entry) => entry.config)).length === 0) return
  throw new MergeError({
    code: 'mixed-architectures',
    families: checked.map((entry) => ({ model: entry.model, family: architectureName(entry.config) ?? 'unknown' })),
  })
}
