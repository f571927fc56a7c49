import { counted, shortened } from '@mk/errors'
import { isBuffer } from './buffers.ts'
import { ArchitectureError } from './errors.ts'
import { familyFacts } from './families.ts'
import { extraLayers, findLayerCount, possibleLayerCounts } from './layer-count.ts'
import {
  type CheckpointLayout,
  type KeyPath,
  type LayoutModule,
  type LayoutTensor,
  type ModelConfig,
  numberTemplate,
  type TensorFacts,
} from './layout.ts'
import { limits } from './limits.ts'
import { type ModulePlan, namesOfKind, planModules, projectorName } from './modules.ts'
import { positionOf } from './position.ts'
import { isTokenEmbedding, mayBeTokenEmbedding, roleOf, type Vocabulary, vocabularySize } from './roles.ts'
import { findLayerStacks, type StackMember } from './stacks.ts'

/**
 * What each tensor of a checkpoint is. Layers are recognized by their numbers, so any family will do; `config` (a parsed
 * config.json) tells where its layer count is written and settles doubts. Every tensor is in the layout once.
 * @throws ArchitectureError 'too-many-tensors', and nothing else
 */
export function describeCheckpoint(tensors: Iterable<TensorFacts>, config: ModelConfig | undefined): CheckpointLayout {
  const all = [...tensors]
  if (all.length > limits.tensors)
    throw new ArchitectureError({ code: 'too-many-tensors', count: all.length, limit: limits.tensors })
  const family = typeof config?.['model_type'] === 'string' ? config['model_type'] : undefined
  const facts = familyFacts(family)
  const trailing = Math.max(extraLayers(config), facts.numbering?.trailing ?? 0)
  const found = facts.sharedLayers
    ? []
    : findLayerStacks(all, knownCounts(config, trailing + (facts.numbering?.first ?? 0)))
  const stacks = found.length > limits.stacks ? [] : found
  const plans = planModules(stacks)
  const notes: string[] = []
  if (stacks.length < found.length)
    notes.push(
      `${found.length} lists of tensors are numbered as layers are, where a model has one to three; none counts`,
    )

  const layers = new Map(plans.map((plan) => [plan, describeLayers(plan, config, family, trailing)]))
  for (const [plan, own] of layers) {
    if (own.said === undefined || own.said === own.layerCount) continue
    const isOfOther = [...layers.values()].some(
      ({ keys, said, layerCount }) => said === layerCount && share(keys, own.keys),
    )
    if (isOfOther) layers.set(plan, { ...own, keys: [] })
    else
      notes.push(
        `${shortened(plan.stack!.path)}: config.json says ${counted(own.said, 'layer')} (${shortened(own.keys[0]!.join('.'))}), the tensors number ${own.layerCount}`,
      )
  }
  const memberOf = new Map(
    plans.flatMap((plan) =>
      (plan.stack?.members ?? []).map((member) => [member.tensor.name, { plan, member }] as const),
    ),
  )
  const describe = describer(all, config, family, plans)

  const held = new Map<ModulePlan, LayoutTensor[]>(plans.map((plan) => [plan, []]))
  const rest: LayoutTensor[] = []
  const projector: LayoutTensor[] = []
  for (const tensor of all) {
    const place = memberOf.get(tensor.name)
    if (place !== undefined) {
      held.get(place.plan)!.push(layerTensor(place.member, layers.get(place.plan)!, place.plan.stack!.path))
      continue
    }
    const described = describe(tensor)
    if (plans.length > 1 && projectorName.test(tensor.name)) projector.push(described)
    else (held.get(homeOf(tensor.name, plans)!) ?? rest).push(described)
  }
  if (plans.length > 1) adoptHeads(rest, held, plans)

  const modules = plans.map((plan): LayoutModule => {
    const { layerCount, keys } = layers.get(plan)!
    const layerPrefix = plan.stack === undefined ? undefined : `${plan.stack.path}.`
    return {
      prefix: plan.prefix,
      names: plan.names,
      kind: plan.kind,
      layerPrefix,
      layerCount,
      layerCountKeys: keys,
      tensors: held.get(plan)!,
    }
  })
  if (projector.length > 0) modules.push(moduleWithoutLayers('projector', projector, rest.length === 0))
  if (rest.length > 0) modules.push(moduleWithoutLayers('rest', rest, projector.length === 0))
  return { family, modules, notes }
}

interface Layers {
  readonly layerCount: number
  /** What config.json says. */
  readonly said: number | undefined
  readonly keys: readonly KeyPath[]
  readonly first: number
}

function describeLayers(
  plan: ModulePlan,
  config: ModelConfig | undefined,
  family: string | undefined,
  trailing: number,
): Layers {
  if (plan.stack === undefined) return { layerCount: 0, said: undefined, keys: [], first: 0 }
  const { numbering, layerCountKeys } = familyFacts(family)
  const first = numbering?.first ?? 0
  const found = (plan.stack.numbers.at(-1) ?? -1) + 1 - first
  const { keys, count } = findLayerCount(config, { kind: plan.kind, layerPath: plan.stack.path, found })
  const trailingHere = count === undefined ? 0 : Math.max(0, found - count)
  const layerCount = trailingHere > 0 && trailingHere <= trailing ? count! : found
  const name = plan.names.find((name) => layerCountKeys?.[name] !== undefined)
  const known = (name === undefined ? undefined : layerCountKeys?.[name]) ?? []
  return { layerCount, first, said: count, keys: known.length > 0 ? known : keys }
}

function share(some: readonly KeyPath[], others: readonly KeyPath[]): boolean {
  return some.some((path) => others.some((other) => other.join('.') === path.join('.')))
}

function layerTensor(
  { tensor, number, suffix }: StackMember,
  { first, layerCount }: Layers,
  path: string,
): LayoutTensor {
  const { name, shape } = tensor
  const layer = number - first
  const role = isBuffer(name, shape) ? ({ role: 'buffer' } as const) : {}
  if (layer < 0) {
    const isEmbedding = isTokenEmbedding(tensor, undefined)
    return {
      name,
      shape,
      layer: undefined,
      position: 'before',
      template: name,
      ...(isEmbedding ? { role: 'embedding', vocabularyAxis: 0 } : role),
    }
  }
  if (layer < layerCount)
    return {
      name,
      shape,
      layer,
      position: 'layer',
      template: `${path}.${numberTemplate('layer', first)}${suffix}`,
      ...role,
    }
  const template = `${path}.${numberTemplate('layers', number - layerCount)}${suffix}`
  return { name, shape, layer: undefined, position: 'after', template, ...(trailingRole(suffix, shape) ?? role) }
}

/** After the layers: those that predict further tokens, with their copies of embedding and head (DeepSeek-V3); the head of Phi-1. */
function trailingRole(
  suffix: string,
  shape: readonly number[],
): Pick<LayoutTensor, 'role' | 'vocabularyAxis'> | undefined {
  if (suffix === '.embed_tokens.weight') return { role: 'embedding', vocabularyAxis: 0 }
  if (!/^\.(?:shared_head\.head|linear)\.(?:weight|bias)$/.test(suffix)) return undefined
  return { role: shape.length === 2 ? 'head' : 'head-bias', vocabularyAxis: 0 }
}

function describer(
  all: readonly TensorFacts[],
  config: ModelConfig | undefined,
  family: string | undefined,
  plans: readonly ModulePlan[],
) {
  const inLayers = new Set(plans.flatMap(({ stack }) => stack?.members.map(({ tensor }) => tensor.name) ?? []))
  const loose = all.filter(({ name }) => !inLayers.has(name))
  const vocabulary = vocabularySize(config)
  const positions = new Map(loose.map(({ name }) => [name, positionOf(withoutPath(name, plans), family)]))
  const named = loose.filter((tensor) => isTokenEmbedding(tensor, vocabulary))
  const guessed = loose.filter(
    (tensor) => positions.get(tensor.name) === 'before' && mayBeTokenEmbedding(tensor, vocabulary),
  )
  const embeddings = new Set(named.length > 0 ? named : guessed)
  const [main] = embeddings
  const size: Vocabulary = { rowCount: main?.shape[0] ?? vocabulary, columnCount: main?.shape[1] }
  return (tensor: TensorFacts): LayoutTensor => {
    const { name, shape } = tensor
    const position = positions.get(name)!
    if (embeddings.has(tensor))
      return { name, shape, layer: undefined, position: 'before', template: name, role: 'embedding', vocabularyAxis: 0 }
    const role = roleOf(tensor, position, size)
    const isAfter = role.role === 'head' || role.role === 'head-bias'
    return { name, shape, layer: undefined, position: isAfter ? 'after' : position, template: name, ...role }
  }
}

/** What remains of a name after the path that it shares with the layers: words on that path say nothing of the tensor. */
function withoutPath(name: string, plans: readonly ModulePlan[]): string {
  let shared = 0
  for (const { stack } of plans) {
    const path = stack?.path.split('.') ?? []
    const segments = name.split('.')
    let length = 0
    while (length < path.length && length < segments.length - 1 && path[length] === segments[length]) length += 1
    shared = Math.max(shared, length)
  }
  return name.split('.').slice(shared).join('.')
}

function homeOf(name: string, plans: readonly ModulePlan[]): ModulePlan | undefined {
  return plans.filter(({ prefix }) => name.startsWith(prefix)).sort((a, b) => b.prefix.length - a.prefix.length)[0]
}

/** A head (and a lone embedding) outside every prefix belongs to the module that has the embedding, else to the language model. */
function adoptHeads(
  rest: LayoutTensor[],
  held: ReadonlyMap<ModulePlan, LayoutTensor[]>,
  plans: readonly ModulePlan[],
): void {
  const language = plans.find(({ kind }) => kind === 'language')
  const restHasEmbedding = rest.some(({ role }) => role === 'embedding')
  const withEmbedding = plans.filter((plan) => held.get(plan)!.some(({ role }) => role === 'embedding'))
  const home = language ?? (restHasEmbedding || withEmbedding.length !== 1 ? undefined : withEmbedding[0])
  if (home === undefined) return
  for (const tensor of rest.splice(0)) {
    const isOfVocabulary = tensor.role === 'head' || tensor.role === 'head-bias' || tensor.role === 'embedding'
    ;(isOfVocabulary ? held.get(home)! : rest).push(tensor)
  }
}

function moduleWithoutLayers(
  kind: 'projector' | 'rest',
  tensors: readonly LayoutTensor[],
  isOnlyOne: boolean,
): LayoutModule {
  const prefixes = new Set(kind === 'rest' ? [''] : tensors.map(({ name }) => name.slice(0, projectorEnd(name))))
  const [prefix = ''] = prefixes.size === 1 ? prefixes : ['']
  const usual = namesOfKind(kind).filter(
    (name) => kind === 'projector' || isOnlyOne || name !== 'multi_modal_projector',
  )
  const own = prefix === '' ? [] : [prefix.slice(0, -1)]
  return {
    prefix,
    names: [...new Set([...own, ...usual])],
    kind,
    layerPrefix: undefined,
    layerCount: 0,
    layerCountKeys: [],
    tensors,
  }
}

function projectorEnd(name: string): number {
  const match = projectorName.exec(name)
  return match === null ? 0 : match.index + match[0].length
}

function knownCounts(config: ModelConfig | undefined, extra: number): ReadonlySet<number> {
  const counts = [...possibleLayerCounts(config)]
  return new Set([...counts, ...(extra > 0 ? counts.map((count) => count + extra) : [])])
}
