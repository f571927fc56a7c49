import { quoted } from '@mk/errors'
import { builtinMethods } from '@mk/methods'
import * as z from 'zod/mini'
import { elementCount, layoutFile } from '@mk/safetensors'
import {
  type MergePlan,
  methodOf,
  type Operation,
  operationInputs,
  type ParameterValue,
  type PlannedTensor,
} from '../plan/merge-plan.ts'
import { storedBytes } from '../plan/stored-size.ts'
import { checkFactors, checkPairs } from './check-factors.ts'
import { checkSource } from './check-source.ts'
import { listPlaces, type PackedRow } from './pack-plan.ts'
import type { PlanBody } from './plan-file.ts'

/** Refuses a plan file. @param place in its JSON */
export type Refuse = (problem: string, place: string) => never

type Kind = Pick<PlannedTensor, 'dtype' | 'shape' | 'rows' | 'operation'>
type PlacedKind = Kind & { readonly name: string; readonly byteStart: number }
type Stages = ReadonlyMap<string, ReadonlyMap<string, Kind>>

/** Checks what the form of a plan file doesn't tell: that all of it points to something, and what is written lies in the output. */
export function checkPlan({ files, plan }: PlanBody, refuse: Refuse): void {
  checkNames(plan, refuse)
  plan.copies.forEach(({ from }, index) => {
    if (files[from] === undefined) refuse(`there is no file ${from}`, `plan.copies[${index}].from`)
  })
  const kindOf = kindFinder({ files, plan }, refuse)
  const stages = new Map<string, ReadonlyMap<string, Kind>>()
  // A stage reads those before it alone.
  for (const [index, { name, method, inputs, tensors }] of (plan.stages ?? []).entries()) {
    const check = kindChecker({ inputCount: inputs.length, stages, method })
    const kinds = tensors.map((row, at) => {
      const place = `plan.stages[${index}].tensors[${at}]`
      return [row[0], check(kindOf(row, 0, place), (problem) => refuse(problem, place))] as const
    })
    stages.set(name, new Map(kinds))
  }
  const check = kindChecker({ inputCount: plan.inputs.length, stages, method: plan.method })
  const byFile = plan.files.map((): PlacedKind[] => [])
  const all: PlacedKind[] = []
  plan.tensors.forEach((row, at) => {
    const place = `plan.tensors[${at}]`
    const [name, , file, byteStart] = row
    const kind = check(kindOf(row, 2, place), (problem) => refuse(problem, place))
    const inFile = byFile[file!] ?? refuse(`there is no file ${file} of the output`, place)
    const placed = { ...kind, name, byteStart: byteStart! }
    inFile.push(placed)
    all.push(placed)
  })
  const unpaired = checkPairs(all)
  if (unpaired !== undefined) refuse(unpaired.problem, `plan.tensors[${unpaired.at}]`)
  plan.files.forEach((file, index) =>
    checkFile(file, byFile[index]!, (problem) => refuse(problem, `plan.files[${index}]`)),
  )
}

/** Names of the output's files: in its folder, each once. */
function checkNames({ files, documents, copies }: PlanBody['plan'], refuse: Refuse): void {
  const known = new Set<string>()
  for (const [list, all] of Object.entries({ files, documents, copies }))
    all.forEach(({ name }: { readonly name: string }, index: number) => {
      const place = `plan.${list}[${index}].name`
      const leadsOut = /[\\\0]|^[a-z]:/i.test(name) || name.split('/').some((part) => /^(?:|\.|\.\.)$/.test(part))
      if (leadsOut || /^\.parts(?:\/|$)/.test(name)) refuse('a name that leads out of the output', place)
      if (known.has(name)) refuse('a name that another file of the output has', place)
      known.add(name)
    })
}

/** Makes what finds the kind of a row, whose places all have to be there. */
function kindFinder({ files, plan }: Pick<PlanBody, 'files' | 'plan'>, refuse: Refuse) {
  const kinds = plan.kinds as readonly Kind[]
  const placeCounts = kinds.map((kind, index) => {
    const places = listPlaces(kind)
    if (places.some((place) => place >= places.length))
      refuse('a place past the number of its sources', `plan.kinds[${index}]`)
    return 2 * places.length
  })
  return ([name, kind, ...places]: PackedRow, own: number, place: string): Kind => {
    const found = kinds[kind] ?? refuse(`there is no kind ${kind}`, place)
    const expected = own + placeCounts[kind]!
    if (places.length !== expected) refuse(`${name} has ${places.length} places instead of ${expected}`, place)
    for (let at = own; at < places.length; at += 2)
      if (files[places[at]!] === undefined) refuse(`there is no file ${places[at]}`, place)
    return found
  }
}

interface KindContext {
  readonly inputCount: number
  readonly stages: Stages
  /** What merges where an operation names no other. */
  readonly method: string
}

/** What a method is given: of how many models, which parameters. */
interface Merging {
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly modelCount: number
}

function mergingOf(operation: Operation): Merging | undefined {
  if (operation.kind === 'merge') return { parameters: operation.parameters, modelCount: operation.models.length }
  if (operation.kind !== 'factors' || !('parameters' in operation.change)) return undefined
  const { change } = operation
  const modelCount = change.kind === 'task-vectors' ? change.modelCount : change.modelInputs.length
  return { parameters: change.parameters, modelCount }
}

/** Parameters of a method of one's own are for it to check. */
function checkParameters(
  { parameters, modelCount }: Merging,
  called: string,
  refuse: (problem: string) => never,
): void {
  const method = builtinMethods.get(called)
  if (method === undefined) return
  const { perModel, methodWide } = method.parameters
  for (const [name, value] of Object.entries(parameters)) {
    const isPerModel = Object.hasOwn(perModel, name)
    const schema = isPerModel ? perModel[name] : Object.hasOwn(methodWide, name) ? methodWide[name] : undefined
    const values = isPerModel ? value : [value]
    const fits =
      schema !== undefined &&
      Array.isArray(values) &&
      (!isPerModel || values.length === modelCount) &&
      values.every((each) => z.safeParse(schema, each).success)
    if (!fits) refuse(`${method.name} takes no ${name} of ${quoted(value)}`)
  }
}

/** Makes what checks kinds, each once. */
function kindChecker({ inputCount, stages, method }: KindContext) {
  const checked = new Set<Kind>()
  return (kind: Kind, refuse: (problem: string) => never): Kind => {
    if (checked.has(kind)) return kind
    checked.add(kind)
    const inputs = operationInputs(kind.operation)
    if (inputs.length === 0 && kind.operation.kind !== 'other-factor') refuse('a tensor that is made of nothing')
    const ofFactors = kind.operation.kind === 'factors' ? checkFactors(kind.operation, kind.shape) : undefined
    if (ofFactors !== undefined) refuse(ofFactors)
    const merging = mergingOf(kind.operation)
    if (merging !== undefined) checkParameters(merging, methodOf({ method }, kind.operation), refuse)
    const named = new Set(kind.operation.kind === 'merge' ? Object.values(kind.operation.tensors ?? {}).flat() : [])
    const ofMatrices = matrixShapes(kind)
    for (const one of inputs) {
      const { input, source } = one
      if (input >= inputCount) refuse(`there is no input ${input}`)
      checkSource(source, { refuse, findMerged: ({ stage, tensor }) => stages.get(stage)?.get(tensor) })
      const isMatrix = named.has(one) && ofMatrices.includes(source.shape.join())
      if (kind.operation.kind !== 'factors' && !isMatrix && elementCount(source.shape) !== elementCount(kind.shape))
        refuse('an input of another size than its tensor')
    }
    return kind
  }
}

/** Lists the shapes that matrices of files may have for a tensor: one for all of its matrices, or one for each. */
function matrixShapes({ shape, operation }: Kind): readonly string[] {
  const inputs = shape.at(operation.kind === 'merge' && operation.inputSide === 'rows' ? -2 : -1) ?? 1
  const square = [inputs, inputs]
  return [square, ...(shape.length === 3 ? [[shape[0]!, ...square]] : [])].map((each) => each.join())
}

/** Every byte has one place: as the format lays tensors out, and in any case within the file. */
function checkFile(
  file: MergePlan['files'][number],
  tensors: readonly PlacedKind[],
  refuse: (problem: string) => never,
): void {
  switch (file.format) {
    case 'safetensors': {
      const layout = layoutFile(tensors, file.metadata)
      const isAsLaidOut = tensors.every(
        ({ byteStart, rows }, index) => rows === undefined && layout.tensors[index]!.byteStart === byteStart,
      )
      if (!isAsLaidOut || layout.fileBytes !== file.fileBytes) refuse('tensors lie elsewhere than the format has them')
      return
    }
    case 'gguf': {
      const isWithin = (byteStart: number, bytes: number) => byteStart + bytes <= file.fileBytes
      for (const tensor of tensors)
        if (!storedRuns(tensor).every(({ byteStart, bytes }) => isWithin(byteStart, bytes)))
          refuse(`${tensor.name} lies outside of the file`)
      if (!file.pieces.every(({ byteStart, base64 }) => isWithin(byteStart, atob(base64).length)))
        refuse('a piece lies outside of the file')
      return
    }
    default:
      file satisfies never
  }
}

/** Lists where the bytes of a tensor go. */
function storedRuns({ byteStart, rows, ...kind }: PlacedKind): readonly { byteStart: number; bytes: number }[] {
  if (rows === undefined) return [{ byteStart, bytes: storedBytes(kind) }]
  const { blockElements, blockBytes, columns, runs } = rows
  return runs.map((run) => ({
    byteStart: run.byteStart,
    bytes: Math.ceil((run.rowCount * columns) / blockElements) * blockBytes,
  }))
}
