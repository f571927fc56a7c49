import { startThreadAhead, type ThreadAhead } from '@mk/merge/ahead'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { Recipe } from './recipe.ts'

/** Starts a thread for a merge that is about to be planned, unless it is only planned, or none of several merges is the output. */
export const threadFor = (flags: MergeFlags, { allNamed }: Recipe): ThreadAhead | undefined =>
  isPlanOnly(flags) || flags.planOut !== undefined || allNamed ? undefined : startThreadAhead()
