import type { DownloadOptions, MergePlan, MergeResult, RunOptions } from '@mk/merge'
import type { MergeFlags } from '../commands/merge-flags.ts'
import * as parts from './merging-parts.ts'
import { hubOf } from './part-options.ts'

/** Makes what reads at the hub what has to be known of weights before the plan is made. */
export const readAtHub =
  (flags: MergeFlags, signal: AbortSignal): DownloadOptions['readAtHub'] =>
  (sources) =>
    parts.bringSources(sources, hubOf(flags, signal))

/** Carries out a plan whose models stay at the hub. */
export const runStreamed = (plan: MergePlan, options: RunOptions, flags: MergeFlags): Promise<MergeResult> =>
  parts.runStreamed(plan, { ...options, hub: hubOf(flags, options.signal!) })
