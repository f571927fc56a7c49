import type { Checkpoint } from '@mk/checkpoint'
import { formatModelReference } from '@mk/config'
import type { OpenFiles, TensorSource } from '@mk/source'
import type { RuntimeSpecifier } from '../run/task.ts'

/** Weights of one model that are still at the hub. */
export interface AwaitedModel {
  /** Its hub id; the reference as the config writes it where only an adapter comes from the hub. */
  readonly id: string
  readonly byteCount: number
}

/** How far the downloads of a merge are, which go side by side. */
export interface WeightsProgress {
  /** What this run has brought of all models, and what it is to bring. */
  readonly doneBytes: number
  readonly totalBytes: number
  /** What earlier runs had brought of the same files; counted in neither of the others. */
  readonly earlierBytes: number
  readonly models: readonly (AwaitedModel & { readonly doneBytes: number })[]
}

/** Who is told of the weights that `download` brings, and what computes what is needed beforehand. */
export interface DownloadOptions {
  /** Where the output is to be; absent: its room is left out of account. */
  readonly out?: string | undefined
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined
  /** What computes what is needed before tensors are read; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier | undefined
  /** Worker threads for that, by default as many as there are cores. */
  readonly threads?: number | undefined
  /** Leaves weights at the hub, and brings of them only what is looked at before the plan is made: `bringSources` of @mk/merge/parts. */
  readonly readAtHub?: ((sources: readonly TensorSource[]) => Promise<BroughtFiles>) | undefined
  /** Of what has to be computed before tensors are read, once the weights are here. */
  readonly onCompute?: ((progress: ComputeProgress) => void) | undefined
}

/** How far what is computed before tensors are read has come. */
export interface ComputeProgress {
  /** What is done, in words; what is done next has other words, and a count of its own. */
  readonly label: string
  /** Absent where nothing is counted. */
  readonly bytes?: { readonly done: number; readonly total: number }
  /** How many of how many, as in '2 of 3 tokens'. */
  readonly count?: string
}

/** Files that are here for a while. */
interface BroughtFiles {
  openFiles(): OpenFiles
  drop(): Promise<void>
}

/** Lists the models whose weights are still at the hub. */
export const listAwaited = (checkpoints: readonly Checkpoint[]): AwaitedModel[] =>
  awaitedOf(checkpoints).map(({ hub, reference, downloadBytes = 0 }) => ({
    id: hub?.id ?? formatModelReference(reference),
    byteCount: downloadBytes,
  }))

/** Those whose weights are still at the hub. */
export const awaitedOf = (checkpoints: readonly Checkpoint[]) =>
  checkpoints.filter(({ downloadBytes = 0 }) => downloadBytes > 0)
