import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { expectArgument, isRecord, systemReason } from '@mk/errors'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { untilAborted } from '@mk/source'
import { MergeError } from '../errors.ts'
import { checkOutput } from '../output/check-output.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { WeightsProgress } from '../prepare/awaited.ts'
import type { PrepareSettings, RecipeSource } from '../prepare/prepare-merge.ts'
import type { Recipe } from '../recipe.ts'
import type { MergeProgress } from '../run/run-tensors.ts'
import { prepareMerge } from './prepare-merge.ts'
import { expectOut } from './expect-out.ts'
import { type MergeResult, runMerge, type RunOptions } from './run-merge.ts'
import { startThreadAhead } from './thread-port.ts'

/** What `merge` takes: the settings of its stages, and where the output goes. */
export interface MergeOptions<Own extends MethodDefinition = never>
  extends
    Omit<PrepareSettings, 'methods' | 'loadMethod' | 'onDownload' | 'onPlan'>,
    Omit<RunOptions, 'methods' | 'onProgress'> {
  /** The folder that is to be written, or with `out_format: gguf` the folder of the file. */
  readonly out: string
  /** Methods beside the built-in ones, which the recipe may then name. */
  readonly ownMethods?: readonly Own[]
  /** Called often: draw at your own pace. */
  readonly onProgress?: (progress: WholeProgress) => void
  /** Stops all of it. What is downloaded and merged stays, and the same merge goes on from there. */
  readonly signal?: AbortSignal
}

/** How far a whole merge is: weights come from the hub where they are not here yet, then tensors are merged. */
export type WholeProgress =
  | ({ readonly phase: 'downloading' } & WeightsProgress)
  | ({ readonly phase: 'merging' } & MergeProgress)

/** What a merge wrote, and what a person should know of it. */
export interface WholeResult extends MergeResult {
  /** The absolute path. */
  readonly out: string
  /** Every file of the output. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  /** What was decided, cut or left out, though the output is right. */
  readonly notes: readonly string[]
  /** What the recipe says that may be meant otherwise, and what was unusual while merging. */
  readonly warnings: readonly string[]
  /** From the call on. */
  readonly seconds: number
}

/**
 * Merges in one call: reads a recipe, opens its models, brings what is still at the hub, carries the plan out, and gives the output
 * its name.
 * @param recipe an object; the path of a YAML file; or YAML as `{ text }`. Models are looked for in the current folder, then beside
 * the file
 * @throws CallError; MergeError 'recipe-file'; what `prepareMerge` and `runMerge` throw; the signal's reason, or once there is an output MergeError 'interrupted' with it as cause
 */
export async function merge<Own extends MethodDefinition = never>(
  recipe: string | Recipe<NoInfer<Own>> | { readonly text: string; readonly file?: string },
  options: MergeOptions<Own>,
): Promise<WholeResult> {
  const startedAt = performance.now()
  expectArgument(typeof recipe === 'string' || isRecord(recipe), 'merge', {
    argument: 'recipe',
    expected: 'an object, the path of a YAML file, or { text }',
    found: recipe,
  })
  expectArgument(isRecord(options), 'merge', { argument: 'options', expected: 'an object with out', found: options })
  const { out, ownMethods = [], onProgress, onWarning, signal, ...settings } = options
  expectOut('merge', out)
  signal?.throwIfAborted()
  const source = await sourceOf(recipe)
  await checkOutput({ out, overwrite: options.overwrite ?? false, ...(source.file && { recipe: source.file }) })
  const methods = new Map([...builtinMethods, ...ownMethods.map((method) => [method.name, method] as const)])
  const { loadMethodModule } = await import('@mk/methods/node')
  // It loads what it runs meanwhile.
  const ahead = options.createWorker === undefined && options.threads !== 0 ? startThreadAhead() : undefined
  try {
    const prepared = await prepareMerge({
      name: basename(resolve(out)),
      ...settings,
      ...source,
      methods,
      loadMethod: loadMethodModule,
      ...(signal && { signal }),
    })
    const plan = await untilAborted(signal, () =>
      prepared.download({
        out,
        onProgress: onProgress && ((progress) => onProgress({ phase: 'downloading', ...progress })),
      }),
    )
    const warnings = new Set(prepared.warnings)
    const result = await runMerge(plan, {
      ...settings,
      out,
      methods: prepared.methods,
      ...(ahead && { createWorker: ahead.createWorker }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress: (progress) => onProgress({ phase: 'merging', ...progress }) }),
      onWarning(message) {
        warnings.add(message)
        onWarning?.(message)
      },
    })
    return {
      ...result,
      out: resolve(out),
      files: await listWritten(plan, out),
      notes: plan.notes,
      warnings: [...warnings],
      seconds: (performance.now() - startedAt) / 1000,
    }
  } finally {
    await ahead?.close()
  }
}

async function sourceOf(recipe: string | object): Promise<RecipeSource> {
  if (typeof recipe === 'string') return { text: await readRecipeFile(recipe), file: recipe }
  if ('text' in recipe) return recipe as RecipeSource & { readonly text: string }
  return { recipe: recipe as Recipe }
}

const readRecipeFile = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: unknown) => {
    throw new MergeError(
      { code: 'recipe-file', file, reason: systemReason(cause), isText: file.includes('\n') },
      { cause },
    )
  })

const listWritten = ({ files, documents, copies }: MergePlan, out: string): Promise<WholeResult['files']> =>
  Promise.all(
    [...files, ...documents, ...copies].map(async ({ name }) => ({ name, bytes: (await stat(join(out, name))).size })),
  )
