import { join } from 'node:path'
import { issueErrorOf } from '@mk/errors'
import { builtinMethods, type MethodIssue } from '@mk/methods'
import { expect } from 'vitest'
import type { MergeIssue } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { PreparedMerge, PrepareSettings } from '../prepare/prepare-merge.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { type MergeResult, runMerge, type RunOptions } from '../node/run-merge.ts'
import type { RuntimeSpecifier } from '../run/task.ts'
import { expectSchemaRefuses } from './recipe-schema.ts'
import { type LoadedTensor, loadFolder } from './models.ts'

/** From source, in the calling thread: a worker can't start from there. */
export const referenceRuntime: RuntimeSpecifier = {
  name: 'reference',
  module: new URL('../../../tensor/src/runtime/index.ts', import.meta.url).href,
  factory: 'createReferenceRuntime',
}
export const wasmRuntime: RuntimeSpecifier = {
  name: 'wasm',
  module: new URL('../../../runtime-wasm/src/index.ts', import.meta.url).href,
  factory: 'createWasmRuntime',
  // The collector counts address space as memory in use: with the 256 MiB of a real merge it runs after every tiny one.
  options: { memoryBytes: 2 ** 24 },
}

type Preparation = PrepareSettings

/** Prepares a recipe that stands in `folder`, as its models do. */
export async function prepareIn(folder: string, text: string, options: Preparation = {}): Promise<PreparedMerge> {
  try {
    return await prepareMerge({ text, file: join(folder, 'recipe.yml'), methods: builtinMethods, ...options })
  } catch (error) {
    await expectSchemaRefuses(text, error)
    throw error
  }
}

export const planIn = async (folder: string, text: string, options?: Preparation): Promise<MergePlan> =>
  (await prepareIn(folder, text, options)).plan

/** Merges a recipe of `folder` into its `out`. */
export async function mergeIn(
  folder: string,
  text: string,
  { prepare, ...run }: Partial<RunOptions> & { readonly prepare?: Preparation } = {},
): Promise<{
  readonly tensors: Record<string, LoadedTensor>
  readonly result: MergeResult
  readonly plan: MergePlan
  readonly out: string
}> {
  const { plan, methods } = await prepareIn(folder, text, prepare)
  const out = run.out ?? join(folder, 'out')
  const result = await runMerge(plan, {
    out,
    methods,
    runtime: referenceRuntime,
    threads: 0,
    cacheBytes: 2 ** 20,
    ...run,
  })
  return { tensors: await loadFolder(out), result, plan, out }
}

type KnownIssue = MergeIssue | MethodIssue

/** Expects an error of these packages with that code and those facts. @returns its message */
export async function expectIssue<C extends KnownIssue['code']>(
  running: Promise<unknown>,
  code: C,
  issue: Partial<Extract<KnownIssue, { code: C }>> = {},
): Promise<string> {
  const reason = await running.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  )
  const error = issueErrorOf(reason)
  if (error === undefined) throw reason
  expect(error.code).toBe(code)
  expect(error.issue).toMatchObject(issue)
  return error.message
}
