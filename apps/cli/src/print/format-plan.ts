import { counted, shortened } from '@mk/errors'
import {
  type AwaitedModel,
  listCountedWeights,
  listMethods,
  type MergePlan,
  methodOf,
  type Operation,
  operationInputs,
  type PlanCost,
  type PlannedTensor,
  storedBytes,
  storedType,
} from '@mk/merge'
import { drawValues, formatValue } from './draw-values.ts'
import { formatTable } from './format-table.ts'
import { describeFactors, groupTensors, type TensorGroup } from './group-tensors.ts'
import { formatBytes } from './sizes.ts'
import { type PlainScreen, plainScreen } from './style.ts'
import { wrapText } from './wrap-text.ts'

/** Longer than any name that is meant; what a terminal would act on is shown escaped. */
const longestName = 1000
const shownFiles = 8

interface PlanView {
  /** Models whose weights a merge would download. */
  readonly awaited?: readonly AwaitedModel[]
  /** What carrying it out takes. */
  readonly cost?: PlanCost
  readonly screen?: PlainScreen
  /** A line for each tensor below the table. */
  readonly full?: boolean
}

/** Formats what `--dry-run` prints: what comes out and what goes in, then a table of layers and kinds with what the parameters resolve to. */
export function formatPlan(
  plan: MergePlan,
  { awaited = [], cost, screen = plainScreen, full = false }: PlanView = {},
): string {
  const { width, style } = screen
  const groups = groupTensors(plan.tensors)
  const total = `${counted(plan.tensors.length, 'tensor')}, ${formatBytes(sizeOf(plan.tensors))}`
  const methods = listMethods({ method: plan.method, tensors: plan.tensors })
  const methodName = ({ tensors }: TensorGroup) =>
    methods.length > 1 && tensors[0]!.operation.kind === 'merge' ? methodOf(plan, tensors[0]!.operation) : ''
  const common = new Map(
    [...new Set(groups.map(methodName))].map((name) => [
      name,
      findCommon(groups.filter((group) => methodName(group) === name)),
    ]),
  )
  const lines = [
    style.bold(`${describeMethods(plan, methods)}: ${total}`),
    '',
    ...plan.inputs.map(
      ({ label, hub, parameter }, index) =>
        `input ${index}: ${parameter === undefined ? '' : `${parameter} `}${shortened(label, longestName)}${hub === undefined ? '' : ` (commit ${hub.commit})`}`,
    ),
    ...describeStages(plan),
    ...describeAwaited(awaited),
    ...describeFiles(plan, full),
    ...describeWeights(plan),
    ...(cost === undefined ? [] : [describeCost(cost)]),
    `seed ${plan.seed}`,
    ...[...common].flatMap(([method, values]) => describeCommon(method, values)),
  ].map((line) => wrapText(line, width, '  '))
  const rows = groups.map((group) => {
    const method = methodName(group)
    const cells = row(group, common.get(method)!)
    return methods.length > 1 ? cells.toSpliced(4, 0, shortened(method, 60)) : cells
  })
  const hasParameters = rows.some((cells) => cells.at(-1) !== '')
  const table = formatTable(
    [
      { title: 'layers' },
      { title: 'kind' },
      { title: 'tensors', align: 'right', dropOrder: 3 },
      { title: 'size', align: 'right', dropOrder: 2 },
      ...(methods.length > 1 ? [{ title: 'method' }] : []),
      { title: 'inputs' },
      ...(hasParameters ? [{ title: 'parameters' }] : []),
    ],
    hasParameters ? rows : rows.map((cells) => cells.slice(0, -1)),
    width,
  )
  const [head, ...rest] = table
  const each = full ? ['', ...plan.tensors.map(describeTensor)] : []
  return `${[...lines, '', style.bold(head!), ...rest, ...each, '', `${total}; nothing was written`].join('\n')}\n`
}

/** With how many tensors each merges, where there are several. */
function describeMethods(plan: MergePlan, methods: readonly string[]): string {
  const [only, ...others] = methods.map((name) => shortened(name, longestName))
  if (others.length === 0) return `method ${only!}`
  const count = (name: string) =>
    plan.tensors.filter(({ operation }) => operation.kind === 'merge' && methodOf(plan, operation) === name).length
  return `methods ${methods.map((name) => `${shortened(name, longestName)} (${count(name)})`).join(', ')}`
}

/** @param method that has these values in all tensors; '' where there is only one */
function describeCommon(method: string, values: ReadonlyMap<string, string>): string[] {
  const everywhere = method === '' ? 'everywhere' : `${shortened(method, longestName)} everywhere`
  return values.size === 0
    ? []
    : [`${everywhere}: ${[...values].map(([name, value]) => `${name} ${value}`).join(', ')}`]
}

function row(
  { kind, layers, tensors, making, parameters }: TensorGroup,
  common: ReadonlyMap<string, string>,
): string[] {
  const own = [...parameters].filter(([name]) => !common.has(name))
  return [
    layers === undefined
      ? '–'
      : layers.first === layers.last
        ? String(layers.first)
        : `${layers.first} to ${layers.last}`,
    shortened(kind, 60),
    String(tensors.length),
    formatBytes(sizeOf(tensors)),
    making,
    own.map(([name, values]) => `${name} ${drawParameter(values)}`).join(', '),
  ]
}

/** A parameter of each model is drawn model by model where it changes over the layers. */
function drawParameter(values: readonly unknown[]): string {
  const [first] = values
  if (!Array.isArray(first) || new Set(values.map(formatValue)).size === 1) return drawValues(values)
  return `[${first.map((_, model) => drawValues(values.map((value) => (value as readonly unknown[])[model]))).join(', ')}]`
}

/** Parameters that have one value in all that is merged: said once. */
function findCommon(groups: readonly TensorGroup[]): ReadonlyMap<string, string> {
  const found = new Map<string, Set<string>>()
  for (const { parameters } of groups) {
    for (const [name, values] of parameters) {
      const texts = found.get(name) ?? new Set()
      values.forEach((value) => texts.add(formatValue(value)))
      found.set(name, texts)
    }
  }
  const single = [...found].filter(([, texts]) => texts.size === 1)
  return new Map(single.map(([name, texts]) => [name, [...texts][0]!]))
}

/** What inputs are that are merges themselves, in the order in which they follow from one another. */
const describeStages = ({ stages = [] }: MergePlan): string[] =>
  stages.map((stage) => {
    const methods = listMethods(stage).map((name) => shortened(name, longestName))
    const inputs = stage.inputs.map(({ label }) => shortened(label, longestName))
    return `merge ${shortened(stage.name, longestName)}: ${methods.join(', ')} of ${inputs.join(', ')}; ${counted(stage.tensors.length, 'tensor')}, computed as they are read`
  })

function describeAwaited(awaited: readonly AwaitedModel[]): string[] {
  if (awaited.length === 0) return []
  const total = awaited.reduce((sum, { byteCount }) => sum + byteCount, 0)
  const each = awaited.map(({ id, byteCount }) => `${shortened(id)} ${formatBytes(byteCount)}`)
  return [`to be downloaded: ${formatBytes(total)}${each.length > 0 ? ` (${each.join(', ')})` : ''}`]
}

function describeFiles({ files, documents, copies }: MergePlan, full: boolean): string[] {
  const weights = files.map(({ name, fileBytes }) => `${shortened(name, longestName)} ${formatBytes(fileBytes)}`)
  const others = [...documents, ...copies].map(({ name }) => shortened(name, longestName))
  const list = (names: readonly string[]) =>
    full || names.length <= shownFiles
      ? names.join(', ')
      : `${names.slice(0, shownFiles).join(', ')} and ${names.length - shownFiles} more (-v lists all)`
  return [`weights: ${list(weights)}`, ...(others.length > 0 ? [`other files: ${list(others)}`] : [])]
}

/** Weights that no plan knows, since they follow from norms. */
const describeWeights = (plan: MergePlan): string[] =>
  listCountedWeights(plan).map(({ rule, stage, models, tensorCount }) => {
    const of = models.map((model) => shortened(model, longestName)).join(', ')
    return `weights by ${rule}${stage === undefined ? '' : ` of ${shortened(stage, longestName)}`}: the norms of ${of} are counted over ${counted(tensorCount, 'tensor')}, in one pass before the merge`
  })

function describeCost({ readBytes, passedBytes, passes, writtenBytes, memoryBytes, matrixSeconds }: PlanCost): string {
  const again = passes > 1 ? ` (${formatBytes(passedBytes)} with up to ${passes} passes over a tensor)` : ''
  return `to do: read ${formatBytes(readBytes)}${again}, write ${formatBytes(writtenBytes)}, in about ${formatBytes(memoryBytes)} of memory${matrixSeconds === undefined ? '' : `; whole matrices take about ${formatSeconds(matrixSeconds)} of one core`}`
}

/** Rounded as an estimate is. */
const formatSeconds = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`

const sizeOf = (tensors: readonly PlannedTensor[]) => tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0)

const describeTensor = (tensor: PlannedTensor): string =>
  `${shortened(tensor.name, longestName)}  ${storedType(tensor)} [${tensor.shape.join(', ')}]  ${formatBytes(storedBytes(tensor))}  ${describeOperation(tensor.operation)}`

function describeOperation(operation: Operation): string {
  const inputs = operationInputs(operation)
    .map(({ input }) => input)
    .join(', ')
  switch (operation.kind) {
    case 'copy':
      return `copy of input ${inputs}`
    case 'merge':
      return `${operation.method === undefined ? '' : `${shortened(operation.method, longestName)} of `}inputs ${inputs}  ${Object.entries(
        operation.parameters,
      )
        .map(([name, value]) => `${name} ${formatValue(value)}`)
        .join('  ')}`
    case 'rows':
      return `inputs ${inputs}  rows by token`
    case 'slerp-rows':
      return `inputs ${inputs}  rows by token, slerp t ${formatValue(operation.t)}`
    case 'factors':
      return describeFactors(operation)
    case 'other-factor':
      return `with ${shortened(operation.of, longestName)}`
    default:
      return operation satisfies never
  }
}
