import { isSameShape } from '@mk/safetensors'
import {
  describeCheckpoint,
  type CheckpointLayout,
  embeddingNames,
  headNames,
  isBuffer,
  isTied,
  type LayoutTensor,
  untiedHeadName,
} from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import type { TensorSource } from '@mk/source'
import { LoraError } from '../errors.ts'
import type { ChangedTensor, DecomposedModule, ExtractionPlan, ExtractionSettings, WholeModule } from './extraction.ts'
import { lastComponent } from './name-modules.ts'

/** Families whose linear layers are Conv1D, with weights of [in, out], and how those are called. */
const conv1dFamilies = new Set(['gpt2', 'openai-gpt', 'imagegpt', 'decision_transformer', 'clvp'])
const conv1dName = /(?:^|\.)(?:c_attn|q_attn|c_proj|c_fc|qkv_proj)$/

/** Tells whether a linear layer's weight is stored as [in, out], as those of GPT-2 are. @param family as its layout has it */
export const isTransposedLayer = (family: string | undefined, module: string): boolean =>
  conv1dFamilies.has(family ?? '') && conv1dName.test(module)

/** A matrix that isn't multiplied with as a linear layer's is: PEFT has no factors for it. */
const routerName = /(?:^|\.)(?:gate|router|shared_expert_gate|router\.classifier)$/

/** What some released checkpoints leave out of the names that transformers' class for language models has, by family. */
const prefixes: Readonly<Record<string, string>> = {
  gpt2: 'transformer',
  bloom: 'transformer',
  gptj: 'transformer',
  falcon: 'transformer',
  opt: 'model',
}

type Kind = 'embedding' | 'head' | 'linear' | 'other'

interface Model {
  readonly checkpoint: Checkpoint
  readonly layout: CheckpointLayout
  readonly tensors: ReadonlyMap<string, LayoutTensor>
}

/**
 * Tells what of a fine-tune is to be decomposed, saved whole, or left out, as far as headers tell.
 * @throws LoraError 'extract-…'
 */
export function planExtraction(
  fineTune: Checkpoint,
  baseModel: Checkpoint,
  settings: ExtractionSettings = {},
): ExtractionPlan {
  checkSettings(settings)
  const fine = describe(fineTune)
  const base = describe(baseModel)
  const tied = isTied(fineTune.config, fine.layout) && headNames(fine.layout).every((name) => !base.tensors.has(name))
  const vocabulary = compareVocabularies(fine, base)
  const embedLora = settings.embedLora === true && vocabulary === undefined
  const [include, exclude] = [compile(settings.include ?? []), compile(settings.exclude ?? [])]
  const matches = (patterns: readonly RegExp[], module: string) => patterns.some((pattern) => pattern.test(module))
  const isSaved = createSaved(settings.saveModules ?? [])

  const decomposed: DecomposedModule[] = []
  const whole: WholeModule[] = []
  const leftOut: string[] = []
  const unmatched: string[] = []
  const notes: string[] = [...fineTune.notes, ...baseModel.notes]
  const modules = groupModules(fine, tied)
  const holdsModules = new Set(modules.flatMap(({ module }) => outerModules(module)))
  for (const { module, weight, bias, others } of modules) {
    const tensors = [weight, bias, ...others].filter((name) => name !== undefined)
    const changed = tensors.map((name) => pair(name, fine, base))
    const kind = weight === undefined ? 'other' : kindOf(fine.tensors.get(weight)!, module)
    const isTokens = kind === 'embedding' || kind === 'head'
    const isExcluded = matches(exclude, module)
    const isIncluded = !isExcluded && (include.length === 0 || matches(include, module))
    const save = (reason: WholeModule['reason']) => {
      const missing = changed.filter(({ base: source }) => source === undefined).map(({ name }) => name)
      if (!isTokens && missing.length > 0) unmatched.push(...missing)
      else if (holdsModules.has(module)) {
        leftOut.push(module)
        notes.push(
          `${tensors.join(', ')}: left out, since PEFT saves whole modules only, and ${module || 'the model'} has others in it`,
        )
      } else whole.push({ module, tensors: changed, reason })
    }
    if (isSaved(module)) save('asked')
    else if (isTokens && !embedLora && !isExcluded) save(vocabulary === undefined ? 'embedding' : 'vocabulary')
    else if (!isIncluded) leftOut.push(module)
    else if (kind === 'other') {
      if (settings.skipUndecomposable) leftOut.push(module)
      else save('undecomposable')
    } else {
      const own = changed[0]!
      const isEmbedding = kind === 'embedding'
      const isConv1d = isTransposedLayer(fine.layout.family, module)
      const missing = changed.filter(({ base: source }) => source === undefined).map(({ name }) => name)
      if (own.base === undefined || missing.length > 0) unmatched.push(...missing)
      else if (!isSameShape(own.fine.shape, own.base.shape))
        throw new LoraError({
          code: 'extract-shape',
          tensor: own.name,
          shape: own.fine.shape,
          baseShape: own.base.shape,
        })
      else
        decomposed.push({
          ...own,
          module,
          isEmbedding,
          transposed: isEmbedding || isConv1d,
          bias: bias === undefined ? undefined : pair(bias, fine, base),
        })
    }
  }
  if (unmatched.length > 0)
    throw new LoraError({
      code: 'extract-unmatched',
      model: fineTune.reference.path,
      base: baseModel.reference.path,
      tensors: unmatched,
    })
  const isToken = new Set([...embeddingNames(fine.layout), ...headNames(fine.layout)])
  for (const { name, fine: own, base: other } of [...decomposed, ...whole.flatMap(({ tensors }) => tensors)]) {
    if (other === undefined || isSameShape(own.shape, other.shape)) continue
    if (isToken.has(name) && own.shape[1] === other.shape[1]) continue
    throw new LoraError({ code: 'extract-shape', tensor: name, shape: own.shape, baseShape: other.shape })
  }
  for (const { name, fine: own, base: other } of decomposed)
    for (const source of [own, other!])
      if (!/^(?:F|BF)\d/.test(source.dtype))
        throw new LoraError({ code: 'extract-dtype', tensor: name, dtype: source.dtype })
  const names = modules.map(({ module }) => module)
  for (const wanted of settings.saveModules ?? [])
    if (!names.some((module) => module === wanted || lastComponent(module) === wanted))
      throw new LoraError({ code: 'extract-save-unknown', module: wanted })
  return {
    decomposed,
    whole,
    leftOut,
    modules: names,
    prefix: prefixOf(fine),
    heads: headNames(fine.layout).map(moduleOf),
    tiedHead: tied ? tiedHeadOf(fine) : undefined,
    vocabulary,
    fanInFanOut: decomposed.some(({ transposed, isEmbedding }) => transposed && !isEmbedding),
    notes,
  }
}

function describe(checkpoint: Checkpoint): Model {
  const facts = [...checkpoint.tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }))
  const layout = describeCheckpoint(facts, checkpoint.config)
  return {
    checkpoint,
    layout,
    tensors: new Map(layout.modules.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.name, tensor] as const))),
  }
}

interface ModuleTensors {
  readonly module: string
  readonly weight: string | undefined
  readonly bias: string | undefined
  /** Parameters that are neither: packed experts, and what else has a name of its own. */
  readonly others: readonly string[]
}

/** The modules of a fine-tune in the order of its files, without buffers, and without a head that is only a copy. */
function groupModules({ layout, tensors, checkpoint }: Model, tied: boolean): ModuleTensors[] {
  const copies = new Set(tied ? headNames(layout) : [])
  const found = new Map<string, { weight?: string; bias?: string; others: string[] }>()
  for (const name of checkpoint.tensors.keys()) {
    const { shape, role } = tensors.get(name)!
    if (role === 'buffer' || isBuffer(name, shape) || copies.has(name)) continue
    const module = moduleOf(name)
    const own = found.get(module) ?? { others: [] }
    const last = lastComponent(name)
    if (last === 'weight' || last === 'bias') own[last] = name
    else own.others.push(name)
    found.set(module, own)
  }
  return [...found].map(([module, { weight, bias, others }]) => ({ module, weight, bias, others }))
}

/** All modules that a module is in, the model itself among them. */
function outerModules(module: string): string[] {
  const outer = []
  for (let end = module.lastIndexOf('.'); end > 0; end = module.lastIndexOf('.', end - 1))
    outer.push(module.slice(0, end))
  return [...outer, '']
}

function kindOf({ role, shape }: LayoutTensor, module: string): Kind {
  if (role === 'embedding' || role === 'position') return shape.length === 2 ? 'embedding' : 'other'
  if (role === 'head') return 'head'
  return shape.length === 2 && !routerName.test(module) ? 'linear' : 'other'
}

function pair(name: string, fine: Model, base: Model): ChangedTensor {
  const own = fine.checkpoint.tensors.get(name)!
  const counterpart: TensorSource | undefined = base.checkpoint.tensors.get(name)
  return { name, fine: own, base: counterpart }
}

function compareVocabularies(fine: Model, base: Model): ExtractionPlan['vocabulary'] {
  for (const name of [...embeddingNames(fine.layout), ...headNames(fine.layout)]) {
    const [own, other] = [fine.tensors.get(name)?.shape[0], base.tensors.get(name)?.shape[0]]
    if (own !== undefined && other !== undefined && own !== other) return { fine: own, base: other }
  }
  return undefined
}

function tiedHeadOf({ layout }: Model): ExtractionPlan['tiedHead'] {
  const embedding = embeddingNames(layout)[0]
  return embedding === undefined
    ? undefined
    : { module: moduleOf(headNames(layout)[0] ?? untiedHeadName(layout)), embedding: moduleOf(embedding) }
}

const moduleOf = (tensor: string): string => tensor.slice(0, Math.max(0, tensor.lastIndexOf('.')))

function prefixOf({ layout, checkpoint }: Model): string {
  const prefix = Object.hasOwn(prefixes, layout.family ?? '') ? prefixes[layout.family!]! : undefined
  const names = [...checkpoint.tensors.keys()]
  return prefix === undefined || names.some((name) => name.startsWith(`${prefix}.`)) ? '' : `${prefix}.`
}

const createSaved = (names: readonly string[]) => (module: string) =>
  names.includes(module) || names.includes(lastComponent(module))

const compile = (patterns: readonly string[]): RegExp[] =>
  patterns.map((pattern) => {
    try {
      return new RegExp(pattern)
    } catch (cause) {
      throw new LoraError({ code: 'extract-pattern', pattern, problem: (cause as Error).message }, { cause })
    }
  })

function checkSettings({ maxRank = 128, svEpsilon = 0, energy }: ExtractionSettings): void {
  const need = (holds: boolean, setting: string, value: unknown, expected: string): void => {
    if (!holds) throw new LoraError({ code: 'extract-setting', setting, value: String(value), expected })
  }
  need(Number.isInteger(maxRank) && maxRank >= 1, 'the largest rank', maxRank, 'a whole number from 1')
  need(svEpsilon >= 0 && svEpsilon < Infinity, 'the least singular value', svEpsilon, 'a number from 0')
  need(
    energy === undefined || (energy > 0 && energy <= 1),
    'the share of the norm',
    energy,
    'a number above 0, at most 1',
  )
}
