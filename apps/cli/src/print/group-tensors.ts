import { type Operation, operationInputs, type PlannedTensor } from '@mk/merge'

/** Tensors of one kind in neighboring layers that are made in the same way. */
export interface TensorGroup {
  readonly kind: string
  /** First and last; undefined for what is in no layer. */
  readonly layers: { readonly first: number; readonly last: number } | undefined
  readonly tensors: readonly PlannedTensor[]
  /** The method that merges them, where it is not the plan's. */
  readonly method: string | undefined
  /** What they are made of, and how. */
  readonly making: string
  /** By parameter, the values over the layers. */
  readonly parameters: ReadonlyMap<string, readonly unknown[]>
}

/** What a part of a name tells of what the tensor is for; the first that fits counts. */
const kinds: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['norm', /norm|(^|\.)ln_?\w*(\.|$)/],
  ['experts', /experts?\b/],
  ['attention', /attn|attention|(^|\.)[qkvo]_proj/],
  ['MLP', /mlp|feed_forward|ffn|(^|\.)(gate|up|down)_proj|(^|\.)fc\d|(^|\.)w[123]\b/],
  ['router', /router|gate\b/],
  ['head', /lm_head|embed_out|(^|\.)output\.weight$/],
  ['embedding', /embed|(^|\.)w[tp]e\b/],
]

const kindOf = (name: string): string => kinds.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other'

/** The first number in a name is its layer's, further ones are those of experts. */
function parseName(name: string) {
  const groups = /^(?<stack>.*?)\.(?<layer>\d+)\.(?<rest>.*)$/.exec(name)?.groups
  if (groups === undefined) return { template: name, stack: '', rest: name, layer: undefined }
  const rest = groups['rest']!.replace(/(^|\.)\d+(?=\.|$)/g, '$1*')
  return { template: `${groups['stack']}.*.${rest}`, stack: groups['stack']!, rest, layer: Number(groups['layer']) }
}

/** Puts tensors together that differ in nothing a reader of the plan looks for, in the order of the plan. */
export function groupTensors(tensors: readonly PlannedTensor[]): TensorGroup[] {
  const runs = [...byTemplate(tensors)].flatMap(([, members]) => splitRuns(members))
  const groups = new Map<string, Run[]>()
  for (const run of runs) {
    const key = JSON.stringify([run.stack, run.kind, run.layers, run.method, run.making, [...run.parameters]])
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  const stacks = new Set(runs.flatMap(({ layers, stack }) => (layers === undefined ? [] : [stack])))
  const all = [...groups.values()].toSorted((a, b) => rank(a[0]!) - rank(b[0]!))
  return all.map((members) => {
    const { kind, layers, method, making, parameters, stack } = members[0]!
    const isWhole = !all.some(
      (other) =>
        other !== members && other[0]!.kind === kind && other[0]!.stack === stack && overlap(other[0]!, members[0]!),
    )
    const names = members.map(({ rest }) =>
      rest
        .replace(/\.weight$/, '')
        .split('.')
        .slice(-2)
        .join('.'),
    )
    const ofStack = stacks.size > 1 && layers !== undefined ? `${stack} ` : ''
    return {
      kind: ofStack + (isWhole ? kind : `${kind} ${[...new Set(names)].join(', ')}`),
      layers,
      method,
      making,
      parameters,
      tensors: members.flatMap((member) => member.tensors),
    }
  })
}

/** The embedding first, then layer by layer, then what comes after all layers. */
const rank = ({ layers, kind }: Run): number => layers?.first ?? (kind === 'embedding' ? -1 : Infinity)

interface Run extends TensorGroup {
  readonly stack: string
  readonly rest: string
}

const overlap = (a: Run, b: Run) =>
  a.layers === undefined || b.layers === undefined
    ? a.layers === b.layers
    : a.layers.first <= b.layers.last && b.layers.first <= a.layers.last

type Named = ReturnType<typeof parseName> & { readonly tensor: PlannedTensor }

function byTemplate(tensors: readonly PlannedTensor[]): Map<string, Named[]> {
  const templates = new Map<string, Named[]>()
  for (const tensor of tensors) {
    const named = { tensor, ...parseName(tensor.name) }
    const members = templates.get(named.template)
    if (members === undefined) templates.set(named.template, [named])
    else members.push(named)
  }
  return templates
}

/** Neighboring layers that are made in the same way; the numbers of its parameters may differ. */
function splitRuns(tensors: readonly Named[]): Run[] {
  const inOrder = tensors
    .map((named) => ({ ...named, making: makingKey(named.tensor) }))
    .toSorted((a, b) => (a.layer ?? 0) - (b.layer ?? 0))
  const runs: (typeof inOrder)[] = []
  for (const item of inOrder) {
    const run = runs.at(-1)
    const before = run?.at(-1)
    const isNext = before !== undefined && (item.layer ?? 0) - (before.layer ?? 0) <= 1
    if (isNext && before.making === item.making) run!.push(item)
    else runs.push([item])
  }
  return runs.map((run) => {
    const [first, last] = [run[0]!, run.at(-1)!]
    const layers = first.layer === undefined ? undefined : { first: first.layer, last: last.layer! }
    const members = run.map(({ tensor }) => tensor)
    const { stack, rest } = first
    return {
      stack,
      rest,
      kind: kindOf(layers === undefined ? first.tensor.name : rest),
      layers,
      method: ownMethod(first.tensor.operation),
      making: describeMaking(members),
      tensors: members,
      parameters: collect(members),
    }
  })
}

function collect(tensors: readonly PlannedTensor[]): ReadonlyMap<string, readonly unknown[]> {
  const names = Object.keys(parametersOf(tensors[0]!.operation))
  return new Map(names.map((name) => [name, tensors.map(({ operation }) => parametersOf(operation)[name])]))
}

function ownMethod(operation: Operation): string | undefined {
  if (operation.kind === 'merge') return operation.method
  return operation.kind === 'factors' && 'method' in operation.change ? operation.change.method : undefined
}

function parametersOf(operation: Operation): Readonly<Record<string, unknown>> {
  if (operation.kind === 'merge') return operation.parameters
  if (operation.kind === 'factors' && 'parameters' in operation.change) return operation.change.parameters
  return operation.kind === 'slerp-rows' ? { t: operation.t } : {}
}

/** Tells what the tensors of a run are made of, and how. */
function describeMaking(tensors: readonly PlannedTensor[]): string {
  const [first, last] = [tensors[0]!, tensors.at(-1)!]
  const ends = operationInputs(last.operation)
  const inputs = operationInputs(first.operation).map((input, index) => {
    const isBase = first.operation.kind === 'merge' && input === first.operation.base
    const from = layerShift(first, input.name) === 0 ? '' : formatLayers(input.name, ends[index]!.name)
    const parameter = parameterOf(first.operation, input)
    const details = [isBase ? 'base' : '', parameter ?? '', from].filter((part) => part !== '')
    return `${input.input}${details.length > 0 ? ` (${details.join(', ')})` : ''}`
  })
  const of = inputs.join(', ')
  const { kind } = first.operation
  switch (kind) {
    case 'copy':
      // Elements that are in no file.
      return operationInputs(first.operation)[0]!.source.kind === 'values' ? `computed with ${of}` : `copy of ${of}`
    case 'merge':
      return of
    case 'rows':
    case 'slerp-rows':
      return `${of}, rows by token`
    case 'factors':
      return describeFactors(first.operation)
    case 'other-factor':
      return 'with its lora_A'
    default:
      return kind satisfies never
  }
}

/** What the factors of a module come from. */
export function describeFactors({ change, inputs }: Extract<Operation, { readonly kind: 'factors' }>): string {
  const models = [...new Set(inputs.map(({ input }) => input))].toSorted((a, b) => a - b).join(', ')
  switch (change.kind) {
    case 'products':
      return `sum of products of ${models}`
    case 'difference':
    case 'task-vectors':
      return 'the merged change, decomposed'
    case 'knots':
      return `products of ${models} in their shared basis`
    case 'paired-factors':
      return `factors of ${models}`
    default:
      return change satisfies never
  }
}

/** The parameter that names the file of an input. */
const parameterOf = (operation: Operation, input: unknown): string | undefined =>
  operation.kind === 'merge'
    ? Object.entries(operation.tensors ?? {}).find(([, each]) => each.some((one) => one === input))?.[0]
    : undefined

const layerOf = (name: string) => parseName(name).layer

/** How far the layer that an input gives is from that of the output. */
function layerShift({ name }: PlannedTensor, inputName: string): number {
  // Most tensors are made of those with their own name.
  if (name === inputName) return 0
  const [layer, from] = [layerOf(name), layerOf(inputName)]
  return layer === undefined || from === undefined ? 0 : from - layer
}

function formatLayers(firstName: string, lastName: string): string {
  const [first, last] = [layerOf(firstName), layerOf(lastName)]
  return first === last ? `its layer ${first}` : `its layers ${first} to ${last}`
}

/** Equal for tensors that are made of the same inputs in the same way, as far as layers move along. */
function makingKey(tensor: PlannedTensor): string {
  const { operation } = tensor
  const isBase = (input: unknown) => operation.kind === 'merge' && input === operation.base
  return JSON.stringify([
    operation.kind,
    operation.kind === 'factors' ? describeFactors(operation) : '',
    ownMethod(operation),
    operationInputs(operation).map((input) => [input.input, isBase(input), layerShift(tensor, input.name)]),
  ])
}
