import { type ModelPlaces, openCheckpointFrom } from '@mk/checkpoint/portable'
import type { MergeConfig, OutFormat } from '@mk/config'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { ModelFacts } from './convert-to-gguf.ts'
import type { LikeCheckpoint } from './learn-from-donor.ts'

/** Opens the GGUF that an output is to be like. @throws MergeError 'gguf-like' where it is none, or no GGUF is to be written */
export async function openLike(
  places: ModelPlaces,
  path: string,
  { outFormat }: MergeConfig,
  roots: readonly string[],
): Promise<LikeCheckpoint> {
  const opened = outFormat === 'gguf' ? await openCheckpointFrom(places, { path, adapters: [] }, { roots }) : undefined
  if (opened?.gguf === undefined) throw new MergeError({ code: 'gguf-like', path, isGguf: opened === undefined })
  return { ...opened, gguf: opened.gguf }
}

/** What becomes of the plan of a folder of safetensors. */
export const outputFormats: Readonly<Record<OutFormat, (plan: MergePlan, model: ModelFacts) => Promise<MergePlan>>> = {
  safetensors: async (plan) => plan,
  lora: async (plan, model) => (await import('../adapter/plan-adapter.ts')).planAdapter(plan, model),
  gguf: async (plan, model) => (await import('./convert-to-gguf.ts')).convertToGguf(plan, model),
}
