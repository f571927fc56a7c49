import {
  type MergePlan,
  openStreams,
  operationInputs,
  type PlannedTensor,
  type PoolSettings,
  type PreparedMerge,
  type TensorStreams,
} from '@mk/merge'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { rangeElements } from '@mk/tensor/runtime'
import { InspectError } from '../errors.ts'
import { type InspectionProgress, threadsFor } from '../diff/diff-models.ts'
import { forEachAtOnce } from '../measure/for-each-at-once.ts'
import { measureGram } from '../measure/gram.ts'
import { measureFromBlocks } from '../measure/measure-from-blocks.ts'
import { sampleBlocks, type SampledBlock, type SampleSizes } from '../measure/sample-blocks.ts'
import type { Diagnosis, ReadPart } from './diagnosis.ts'
import { addParts, describeFigures, type EstimatedFigures, type MeasuredPart } from './figures.ts'
import { findFindings, listUndecided } from './findings.ts'

/** How inputs are diagnosed, and who is told how far it is. */
export interface DiagnoseOptions extends PoolSettings {
  /** Which tensors are read in part; false: none, so that all figures are exact, and all that is infinite or NaN is seen. */
  readonly sample?: SampleSizes | false
  readonly onProgress?: (progress: InspectionProgress) => void
  readonly signal?: AbortSignal
}

/** A tensor of the output that is made of several models. */
interface MergedTensor {
  readonly tensor: PlannedTensor
  readonly elementCount: number
  /** Of one element of each input. */
  readonly elementBytes: number
  readonly labels: readonly string[]
  readonly hasBase: boolean
  /** What is read of it at first; undefined: all. */
  readonly blocks: readonly SampledBlock[] | undefined
}

/**
 * Looks at what a plan merges: norms, distances, directions and signs of its models. Large tensors are read in part: their figures are
 * estimates, which say how far off they may be. More of them is read where an estimate leaves open what is found. The same numbers for
 * any count of threads.
 * @throws InspectError 'diagnose-nothing' where no tensor is made of two models; SourceError where weights can't be read; the reason of `signal`
 */
export async function diagnosePlan(
  plan: MergePlan,
  { methods }: Pick<PreparedMerge, 'methods'>,
  { threads, sample = {}, onProgress, signal, ...settings }: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const merged = listMerged(plan, sample)
  if (merged.length === 0) throw new InspectError({ code: 'diagnose-nothing', tensorCount: plan.tensors.length })
  const first = merged.map((tensor) => ({ shape: [readElementsOf(tensor)] }))
  const streams = await openStreams({ ...settings, ...threadsFor(first, threads), plan, methods })
  try {
    const followed = { onProgress, signal }
    const parts = await measureAll(streams, merged, followed)
    const base = parts.find(({ hasBase }) => hasBase)?.labels[0] ?? null
    const { replicates: _, ...figures } = await decide(streams, { merged, parts, base }, followed)
    const read = countRead(parts)
    return {
      base,
      read,
      ...figures,
      findings: findFindings({ base, ...figures }, read.sampledTensors > 0),
      tensors: merged.map(({ tensor }, index) => {
        const part = parts[index]!
        const { models, pairs } = describeFigures([part])
        return { name: tensor.name, readShare: part.gram.readElements / part.gram.elementCount, models, pairs }
      }),
      skipped: plan.tensors.length - merged.length,
    }
  } finally {
    await streams.close()
  }
}

function listMerged(plan: MergePlan, sample: SampleSizes | false): MergedTensor[] {
  return plan.tensors.flatMap((tensor): MergedTensor[] => {
    const { name, operation, shape } = tensor
    const inputs = operationInputs(operation)
    const count = elementCount(shape)
    if (operation.kind !== 'merge' || inputs.length < 2 || count === 0) return []
    return [
      {
        tensor,
        elementCount: count,
        elementBytes: inputs.reduce((sum, { source }) => sum + dtypeBytes(source.dtype), 0),
        labels: inputs.map(({ input }) => plan.inputs[input]!.label),
        hasBase: operation.base !== undefined,
        blocks: sample === false ? undefined : sampleBlocks(name, count, sample),
      },
    ]
  })
}

const readElementsOf = ({ elementCount: count, blocks }: MergedTensor): number =>
  blocks === undefined ? count : rangeElements(blocks.map(({ range }) => range))

const countRead = (parts: readonly MeasuredPart[]): ReadPart => ({
  elementCount: parts.reduce((sum, { gram }) => sum + gram.elementCount, 0),
  readElements: parts.reduce((sum, { gram }) => sum + gram.readElements, 0),
  tensorCount: parts.length,
  sampledTensors: parts.filter(({ gram }) => gram.replicates.length > 0).length,
})

interface Followed {
  readonly onProgress: DiagnoseOptions['onProgress'] | undefined
  readonly signal: AbortSignal | undefined
}

/** Reads tensors, those that have blocks in part. @returns what was measured of each, in their order */
async function measureAll(
  streams: TensorStreams,
  tensors: readonly MergedTensor[],
  { onProgress, signal }: Followed,
): Promise<MeasuredPart[]> {
  const totalBytes = tensors.reduce((sum, tensor) => sum + readElementsOf(tensor) * tensor.elementBytes, 0)
  let [doneBytes, doneTensors] = [0, 0]
  const measured = new Map<MergedTensor, MeasuredPart>()
  await forEachAtOnce(tensors, { atOnce: streams.size + 1, signal }, async (merged) => {
    const { tensor, labels, hasBase, blocks, elementBytes } = merged
    const sources = operationInputs(tensor.operation).map(({ source }) => source)
    const request = { sources, shape: tensor.shape, withSigns: hasBase }
    const measuring = blocks === undefined ? measureGram(streams, request) : measureFromBlocks(streams, request, blocks)
    measured.set(merged, { labels, hasBase, gram: await measuring })
    doneBytes += readElementsOf(merged) * elementBytes
    onProgress?.({ doneBytes, totalBytes, doneTensors: ++doneTensors, tensorCount: tensors.length })
  })
  return tensors.map((tensor) => measured.get(tensor)!)
}

/** Describes what was measured, after reading all of the tensors whose estimates leave open what is found: `parts` then has that of them. */
async function decide(
  streams: TensorStreams,
  {
    merged,
    parts,
    base,
  }: { readonly merged: readonly MergedTensor[]; readonly parts: MeasuredPart[]; readonly base: string | null },
  followed: Followed,
): Promise<EstimatedFigures> {
  for (;;) {
    const figures = describeFigures(addParts(parts))
    const undecided = listUndecided({ base, ...figures }, figures.replicates)
    const open = parts.flatMap(({ labels, gram }, index) =>
      gram.replicates.length > 0 && labels.some((label) => undecided.has(label)) ? [index] : [],
    )
    if (open.length === 0) return figures
    const whole = await measureAll(
      streams,
      open.map((index) => ({ ...merged[index]!, blocks: undefined })),
      followed,
    )
    for (const [position, index] of open.entries()) parts[index] = whole[position]!
  }
}
