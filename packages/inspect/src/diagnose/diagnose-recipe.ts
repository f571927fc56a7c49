import {
  type MergePlan,
  openStreams,
  operationInputs,
  type PlannedTensor,
  type PoolSettings,
  type PreparedMerge,
} from '@mk/merge'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { InspectError } from '../errors.ts'
import type { InspectionProgress } from '../diff/diff-models.ts'
import { threadsFor } from '../diff/diff-models.ts'
import { cosineOf, ratio } from '../measure/describe-difference.ts'
import { forEachAtOnce } from '../measure/for-each-at-once.ts'
import { type GramSums, measureGram } from '../measure/gram.ts'
import type { DiagnosedModel, DiagnosedPair, DiagnosedTensor, Diagnosis } from './diagnosis.ts'
import { findFindings } from './findings.ts'
import { addSums, type ModelSums, modelSums, type PairSums, pairSums } from './pair-sums.ts'

/** How inputs are diagnosed, and who is told how far it is. */
export interface DiagnoseOptions extends PoolSettings {
  readonly onProgress?: (progress: InspectionProgress) => void
  readonly signal?: AbortSignal
}

/** A tensor with what its models' slots hold. */
interface Measured {
  readonly tensor: PlannedTensor
  readonly labels: readonly string[]
  readonly hasBase: boolean
  readonly gram: GramSums
}

/**
 * Looks at what a plan merges, each tensor read once: norms, distances, directions and signs of its models. The same numbers for any
 * count of threads.
 * @throws InspectError 'diagnose-nothing' where no tensor is made of two models; SourceError where weights can't be read; the reason of `signal`
 */
export async function diagnosePlan(
  plan: MergePlan,
  { methods }: Pick<PreparedMerge, 'methods'>,
  { threads, onProgress, signal, ...settings }: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const merged = plan.tensors.filter(
    ({ operation, shape }) =>
      operation.kind === 'merge' && operationInputs(operation).length > 1 && elementCount(shape) > 0,
  )
  if (merged.length === 0) throw new InspectError({ code: 'diagnose-nothing', tensorCount: plan.tensors.length })
  const bytesOf = ({ shape, operation }: PlannedTensor) =>
    operationInputs(operation).reduce((sum, { source }) => sum + elementCount(shape) * dtypeBytes(source.dtype), 0)
  const totalBytes = merged.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  let [doneBytes, doneTensors] = [0, 0]
  const measured = new Map<PlannedTensor, Measured>()
  const streams = await openStreams({ ...settings, ...threadsFor(merged, threads), plan, methods })
  try {
    await forEachAtOnce(merged, { atOnce: streams.size + 1, signal }, async (tensor) => {
      const { operation, shape } = tensor
      const hasBase = operation.kind === 'merge' && operation.base !== undefined
      const inputs = operationInputs(operation)
      const gram = await measureGram(streams, {
        sources: inputs.map(({ source }) => source),
        shape,
        withSigns: hasBase,
      })
      const labels = inputs.map(({ input }) => plan.inputs[input]!.label)
      measured.set(tensor, { tensor, labels, hasBase, gram })
      doneBytes += bytesOf(tensor)
      onProgress?.({ doneBytes, totalBytes, doneTensors: ++doneTensors, tensorCount: merged.length })
    })
  } finally {
    await streams.close()
  }
  const all = merged.map((tensor) => measured.get(tensor)!)
  return { ...diagnose(all), skipped: plan.tensors.length - merged.length }
}

function diagnose(all: readonly Measured[]): Omit<Diagnosis, 'skipped'> {
  const models = new Map<string, { sums: ModelSums; hasBase: boolean }>()
  const pairs = new Map<string, { models: readonly [string, string]; sums: PairSums; hasBase: boolean }>()
  const tensors = all.map(({ tensor, labels, hasBase, gram }): DiagnosedTensor => {
    const own = hasBase ? labels.slice(1) : labels
    const ofModels = modelSums(gram, hasBase)
    ofModels.forEach((sums, index) => {
      const label = own[index]!
      models.set(label, { sums: addSums(models.get(label)?.sums, sums), hasBase })
    })
    const ofPairs = pairSums(gram, hasBase).map(({ x, y, sums }) => {
      const named = [own[x]!, own[y]!] as const
      const key = JSON.stringify(named)
      pairs.set(key, { models: named, sums: addSums(pairs.get(key)?.sums, sums), hasBase })
      return describePair(named, sums, hasBase)
    })
    const described = ofModels.map((sums, index) => describeModel(own[index]!, sums, hasBase))
    return { name: tensor.name, models: described, pairs: ofPairs }
  })
  const base = all.find(({ hasBase }) => hasBase)?.labels[0] ?? null
  const found = {
    base,
    models: [...models].map(([label, { sums, hasBase }]) => describeModel(label, sums, hasBase)),
    pairs: [...pairs.values()].map(({ models: named, sums, hasBase }) => describePair(named, sums, hasBase)),
    tensors,
  }
  return { ...found, findings: findFindings(found), weights: weightsByNorm(found.models) }
}

function describeModel(model: string, { elementCount: count, ...sums }: ModelSums, hasBase: boolean): DiagnosedModel {
  const change = hasBase ? Math.sqrt(sums.dd) : null
  return {
    model,
    elementCount: count,
    norm: Math.sqrt(Math.max(0, sums.xx)),
    change,
    relative: change === null ? null : ratio(change, Math.sqrt(sums.cc)),
    cosine: hasBase ? cosineOf(sums.xc, sums.xx, sums.cc) : null,
    nonFinite: sums.nonFinite,
  }
}

const describePair = (models: readonly [string, string], sums: PairSums, hasBase: boolean): DiagnosedPair => ({
  models,
  apart: ratio(Math.sqrt(sums.apart), (Math.sqrt(Math.max(0, sums.xx)) + Math.sqrt(Math.max(0, sums.yy))) / 2),
  cosine: cosineOf(sums.xy, sums.xx, sums.yy),
  changes: hasBase
    ? { cosine: cosineOf(sums.dxy, sums.dxx, sums.dyy), conflicts: ratio(sums.conflicts, sums.both) }
    : null,
})

/** The larger a change, the less its weight: all then move the base as far. */
function weightsByNorm(models: readonly DiagnosedModel[]): Readonly<Record<string, number>> | null {
  if (models.length < 2 || models.some(({ change }) => change === null || change === 0)) return null
  const total = models.reduce((sum, { change }) => sum + 1 / change!, 0)
  return Object.fromEntries(models.map(({ model, change }) => [model, Number((1 / change! / total).toPrecision(3))]))
}
