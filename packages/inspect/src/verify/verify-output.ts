import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { openStreams, type PoolSettings, storedBytes } from '@mk/merge'
import { type InspectionProgress, threadsFor } from '../diff/diff-models.ts'
import { checkArchitecture } from './check-architecture.ts'
import { checkChecksums, findChecksums } from './check-checksums.ts'
import { compareWithPlan, type PlanToCompare, sampleTensors } from './compare-with-plan.ts'
import type { Fault } from './fault.ts'
import { type ReadOutput, readOutput } from './read-output.ts'
import { scannedBytes, scanTensors } from './scan-tensors.ts'

/** What of an output is verified, and who is told how far it is. */
export interface VerifyOptions extends PoolSettings {
  /** A plan by which tensors are computed anew. */
  readonly against?: PlanToCompare
  readonly onProgress?: (progress: InspectionProgress) => void
  readonly onWarning?: (message: string) => void
  readonly signal?: AbortSignal
}

/** What was found of an output. */
export interface Verification {
  readonly out: string
  /** Whether nothing is wrong with it; what may be meant is a fault that is a doubt. */
  readonly isSound: boolean
  readonly faults: readonly Fault[]
  readonly tensorCount: number
  readonly fileCount: number
  /** Files whose checksums were compared; null where the output has none. */
  readonly checksumCount: number | null
  /** Tensors that were computed anew; null where no plan was given. */
  readonly computedCount: number | null
}

/**
 * Reads an output of any program again: headers, index, sizes, shapes, values, checksums, and what a plan says, if one is given. What is
 * wrong is a fault of the result; what is thrown kept it from being looked at.
 * @throws InspectError 'output-missing', 'against-other', 'against-inputs'; what the operating system says; the reason of `signal`
 */
export async function verifyOutput(out: string, options: VerifyOptions = {}): Promise<Verification> {
  const { against, onProgress, onWarning, signal, threads, ...settings } = options
  const output = await readOutput(out)
  const stated = await findChecksums(output)
  const chosen = against && sampleTensors(against.plan, against.sample, against.seed)
  const progress = createProgress(output, onProgress)
  progress.add(await hashedBytes(output, stated))
  progress.add((chosen ?? []).reduce((sum, index) => sum + storedBytes(against!.plan.tensors[index]!), 0))
  const found = [...output.faults, ...checkArchitecture(output)]
  const streams = await openStreams({
    ...settings,
    ...threadsFor(
      [...output.tensors.values()].map(({ source }) => source),
      threads,
    ),
  })
  try {
    const parts = await Promise.all([
      scanTensors(streams, output.tensors, { signal, onRead: progress.tensor }),
      stated === undefined ? [] : checkChecksums(output, stated, { threads, signal, onRead: progress.read }),
    ])
    found.push(...parts.flat())
  } finally {
    await streams.close()
  }
  if (against !== undefined) {
    const run = {
      signal,
      onRead: progress.read,
      ...(threads !== undefined && { threads }),
      ...(onWarning && { onWarning }),
    }
    found.push(...(await compareWithPlan(output, against, run)))
  }
  const faults = withoutRepeated(found)
  return {
    out,
    isSound: faults.every(({ isDoubt }) => isDoubt),
    faults,
    tensorCount: output.tensors.size,
    fileCount: output.files.length,
    checksumCount: stated?.size ?? null,
    computedCount: chosen?.length ?? null,
  }
}

async function hashedBytes({ folder }: ReadOutput, stated: ReadonlyMap<string, string> = new Map()): Promise<number> {
  const sizes = await Promise.all(
    [...stated.keys()].map(async (name) => (await ifPresent(stat(join(folder, name))))?.size ?? 0),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function createProgress({ tensors }: ReadOutput, onProgress: VerifyOptions['onProgress']) {
  const scanned = [...tensors.values()].map(scannedBytes).filter((bytes) => bytes > 0)
  let totalBytes = scanned.reduce((sum, bytes) => sum + bytes, 0)
  let [doneBytes, doneTensors] = [0, 0]
  const read = (byteCount: number) => {
    doneBytes += byteCount
    onProgress?.({ doneBytes, totalBytes, doneTensors, tensorCount: scanned.length })
  }
  return {
    add: (byteCount: number) => void (totalBytes += byteCount),
    read,
    tensor(byteCount: number) {
      doneTensors++
      read(byteCount)
    },
  }
}

/** A file that isn't there is missed by the index and by the checksums, one too many noticed by both. */
const withoutRepeated = (faults: readonly Fault[]): Fault[] => {
  const isSame = (a: Fault, b: Fault) => a.code === b.code && a.file === b.file
  const ofFiles = (one: Fault) => one.code === 'file-missing' || one.code === 'extra-file'
  return faults.filter((one, index) => !ofFiles(one) || faults.findIndex((other) => isSame(one, other)) === index)
}
