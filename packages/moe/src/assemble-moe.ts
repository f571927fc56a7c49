import { counted } from '@mk/errors'
import {
  type Assembly,
  type MergeInputs,
  outputDtype,
  ownDtype,
  type PlannedTensorInput,
  type UnplacedTensor,
} from '@mk/merge'
import type { MergeConfig } from '@mk/config'
import type { Dtype } from '@mk/safetensors'
import { gatherSource, type TensorSource } from '@mk/source'
import { type ExpertConfig, isDrawn, type MoeConfig } from './config/moe-config.ts'
import { MoeError } from './errors.ts'
import { chooseOutput } from './outputs/choose-output.ts'
import type { ConfigFacts, MlpPart, MoeOutput } from './outputs/output.ts'
import { type BaseModel, familyOf, inLayerOf, readBase } from './read-base.ts'

/** Which rows of which layer's router a tensor is to have. */
interface GateTensor {
  readonly layer: number
  /** Rows of the experts' router, or the one of the shared expert's gate. */
  readonly of: 'experts' | 'shared'
}

/** A mixture as planned, and where the rows are that are yet to be computed. */
export interface MoeAssembly extends Assembly {
  readonly base: BaseModel
  /** By the name of the output's tensor; empty where they are drawn. */
  readonly gates: ReadonlyMap<string, GateTensor>
}

interface Work {
  readonly moe: MoeConfig
  readonly inputs: MergeInputs
  readonly base: BaseModel
  readonly output: MoeOutput
  readonly dtype: Dtype
  /** Position among the inputs. */
  inputOf(expert: ExpertConfig): number
}

/**
 * Decides what a mixture is made of: the base, with the experts' networks and routers in the place of its own.
 * @param inputOf finds the input of a model that the config names
 * @throws MoeError
 */
export function assembleMoe(
  moe: MoeConfig,
  inputs: MergeInputs,
  config: MergeConfig,
  inputOf: (model: string) => number,
): MoeAssembly {
  const output = chooseFor(moe, inputs, inputOf)
  const base = readBase(inputs, inputOf(moe.baseModel))
  const facts: ConfigFacts = {
    base: base.config,
    family: familyOf(base.config),
    sizes: base.sizes,
    expertCount: moe.experts.length,
    expertsPerToken: moe.expertsPerToken,
    sharedCount: moe.sharedExperts.length,
  }
  for (const [setting, expected] of output.limits?.(facts) ?? [])
    throw new MoeError({
      code: 'moe-setting',
      model: base.label,
      output: output.title,
      setting,
      found: JSON.stringify(base.config[setting] ?? base.config['rope_parameters'] ?? null),
      expected,
    })
  const embedding = base.checkpoint.tensors.get('model.embed_tokens.weight')!
  const dtype = outputDtype(config) ?? ownDtype(embedding, { ...base.checkpoint, config: base.config })
  const work: Work = { moe, inputs, base, output, dtype, inputOf: ({ model }) => inputOf(model) }
  checkPlaces(work)
  const tensors = planTensors(work)
  const gates = isDrawn(moe.gateMode)
    ? new Map<string, GateTensor>()
    : new Map(gateTensors(work).map(({ name, layer, of }) => [name, { layer, of }]))
  return {
    base,
    gates,
    tensors,
    config: { ...output.config(facts), vocab_size: embedding.shape[0], ...dtypeKeys(base, dtype) },
    floats: ['rms_norm_eps', 'rope_theta'],
    notes: notesOf(work),
    warnings: [],
  }
}

function chooseFor(moe: MoeConfig, inputs: MergeInputs, inputOf: (model: string) => number): MoeOutput {
  const { checkpoints, donor } = inputs
  const named = [...moe.experts, ...moe.sharedExperts].map(({ model }) => checkpoints[inputOf(model)]!.config)
  // A GGUF doesn't say; its tensors have to fit.
  const families = [checkpoints[donor]!.config, ...named].flatMap((config) =>
    config === undefined ? [] : [familyOf(config)],
  )
  const candidates = {
    family: new Set(families).size === 1 ? families[0]! : undefined,
    families,
    sharedCount: moe.sharedExperts.length,
    sharedHasPrompts: moe.sharedExperts.some(({ positivePrompts }) => positivePrompts.length > 0),
    isDrawn: isDrawn(moe.gateMode),
  }
  return chooseOutput(candidates, moe.architecture)
}

/** Refuses what the output has no place for, since it would not do what the base does. */
function checkPlaces({ base, output }: Work): void {
  const names = base.tensors.flatMap(({ name, use }) =>
    use.kind === 'unknown' || (use.kind === 'extra' && !output.extras.includes(use.extra)) ? [name] : [],
  )
  if (names.length > 0) throw new MoeError({ code: 'moe-tensor', model: base.label, output: output.title, names })
}

/** In the order of the base; the experts of a layer stand where its own network begins. */
function planTensors(work: Work): readonly UnplacedTensor[] {
  const { base, output } = work
  const done = new Set<number>()
  const hasBias = base.tensors.some(({ use }) => use.kind === 'extra' && use.extra === 'qkv_bias')
  return base.tensors.flatMap(({ name, use }): readonly UnplacedTensor[] => {
    switch (use.kind) {
      case 'left':
      case 'unknown':
        return []
      case 'mlp': {
        if (done.has(use.layer)) return []
        done.add(use.layer)
        return [...gatesOf(work, use.layer), ...networksOf(work, use.layer)]
      }
      case 'kept':
      case 'extra': {
        const kept = copyOf(work, base.input, name, name)
        const isProjection = /\.self_attn\.[qkv]_proj\.weight$/.test(name)
        return output.zeros && !hasBias && isProjection ? [kept, zeroBias(work, name)] : [kept]
      }
      default:
        return use satisfies never
    }
  })
}

function copyOf({ inputs, dtype }: Work, input: number, from: string, name: string): UnplacedTensor {
  const source = inputs.checkpoints[input]!.tensors.get(from)!
  return { name, dtype, shape: source.shape, operation: { kind: 'copy', input: { input, name: from, source } } }
}

const zeros = (shape: readonly number[]): TensorSource =>
  gatherSource({
    dtype: 'F32',
    shape,
    segments: [{ kind: 'zero', rowCount: shape[0]! }],
    sourceOf: () => {
      throw new RangeError('zeros are made of nothing')
    },
  })

/** As long as the projection has rows, whatever config.json says of heads. */
function zeroBias({ base, dtype }: Work, projection: string): UnplacedTensor {
  const name = projection.replace(/weight$/, 'bias')
  const shape = [base.checkpoint.tensors.get(projection)!.shape[0]!]
  return {
    name,
    dtype,
    shape,
    operation: { kind: 'copy', input: { input: base.input, name: projection, source: zeros(shape) } },
  }
}

/** The networks of a layer: of each expert, and those that every token goes through. */
function networksOf(work: Work, layer: number): readonly UnplacedTensor[] {
  const { moe, output } = work
  return [
    ...moe.experts.flatMap((expert, index) => network(work, expert, layer, (part) => output.names.expert(index, part))),
    ...moe.sharedExperts.flatMap((expert) => network(work, expert, layer, (part) => output.names.shared!(part))),
  ]
}

function network(
  work: Work,
  expert: ExpertConfig,
  layer: number,
  nameOf: (part: MlpPart) => string,
): readonly UnplacedTensor[] {
  const { inputs, base, dtype } = work
  const input = work.inputOf(expert)
  return (['gate_proj', 'up_proj', 'down_proj'] as const).map((part) => {
    const from = inLayerOf(layer, `mlp.${part}.weight`)
    const name = inLayerOf(layer, nameOf(part))
    const source = inputs.checkpoints[input]!.tensors.get(from)
    const expected = base.checkpoint.tensors.get(from)!.shape
    if (source?.shape.join() !== expected.join())
      throw new MoeError({
        code: 'moe-expert',
        model: expert.model,
        name: from,
        found: source === undefined ? 'missing' : `[${source.shape.join(', ')}]`,
        expected: `[${expected.join(', ')}]`,
      })
    const scale = part === 'down_proj' ? expert.residualScale : 1
    const model: PlannedTensorInput = { input, name: from, source }
    const isCopy = expert.noiseScale === 0 && scale === 1
    const parameters = { noise_scale: expert.noiseScale, residual_scale: scale, drawn: 'no', width: 1 }
    return {
      name,
      dtype,
      shape: expected,
      operation: isCopy ? { kind: 'copy', input: model } : { kind: 'merge', models: [model], parameters },
    }
  })
}

/** The routers of a layer, by name. */
function gateNames({ moe, output }: Work, layer: number) {
  const { router, sharedGate } = output.names
  return [
    { name: inLayerOf(layer, router), layer, of: 'experts' as const, rows: moe.experts.length },
    ...(sharedGate === undefined
      ? []
      : [{ name: inLayerOf(layer, sharedGate), layer, of: 'shared' as const, rows: 1 }]),
  ]
}

const gateTensors = (work: Work) =>
  Array.from({ length: work.base.sizes.layers }, (_, layer) => gateNames(work, layer)).flat()

/** Rows that are drawn are made while they are written; others are computed before, once the weights are here. */
function gatesOf(work: Work, layer: number): readonly UnplacedTensor[] {
  const { moe, base, dtype } = work
  const { hidden } = base.sizes
  return gateNames(work, layer).map(({ name, rows }) => {
    const shape = [rows, hidden]
    const of = { input: base.input, name: `rows of ${moe.gateMode}` }
    if (!isDrawn(moe.gateMode)) {
      const source: TensorSource = { kind: 'values', dtype: 'F32', shape }
      return { name, dtype, shape, operation: { kind: 'copy', input: { ...of, source } } }
    }
    const drawn = moe.gateMode === 'random' ? 'normal' : 'uniform'
    const parameters = { noise_scale: 0, residual_scale: 1, drawn, width: 1 / Math.sqrt(hidden) }
    return { name, dtype, shape, operation: { kind: 'merge', models: [{ ...of, source: zeros(shape) }], parameters } }
  })
}

const namesOfDtype: Readonly<Partial<Record<Dtype, string>>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
}

/** As the base's config.json spells the key. */
function dtypeKeys({ config }: BaseModel, dtype: Dtype): Record<string, unknown> {
  const name = namesOfDtype[dtype]
  const keys = ['dtype', 'torch_dtype'].filter((key) => config[key] !== undefined)
  return name === undefined
    ? {}
    : Object.fromEntries((keys.length > 0 ? keys : ['torch_dtype']).map((key) => [key, name]))
}

function notesOf({ moe, base, output }: Work): readonly string[] {
  const left = (reason: 'buffer' | 'tied') =>
    base.tensors.flatMap(({ name, use }) => (use.kind === 'left' && use.reason === reason ? [name] : []))
  const [buffers, tied] = [left('buffer'), left('tied')]
  return [
    `${output.title} of ${counted(moe.experts.length, 'expert')}, ${moe.expertsPerToken} for each token${moe.sharedExperts.length > 0 ? ', and a shared one' : ''}; router rows: ${moe.gateMode}`,
    ...(buffers.length > 0
      ? [
          `${base.label}: ${counted(buffers.length, 'buffer')} such as ${buffers[0]!} left out: ${output.title} computes them`,
        ]
      : []),
    ...(tied.length > 0 ? [`${base.label}: ${tied[0]!} is not written, since the head is tied to the embedding`] : []),
  ]
}
