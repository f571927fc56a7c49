import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileState } from '@mk/checkpoint'
import { ifPresent } from '@mk/errors'
import type { NonFiniteTensor } from '@mk/tensor'
import { MergeError } from '../errors.ts'
import { checkOutput } from '../output/check-output.ts'
import { isWithin } from '../output/output-place.ts'
import { readPlanIdentity } from '../output/plan-identity.ts'
import type { PreparedMerge } from '../prepare/prepare-merge.ts'
import { wasmRuntime } from '../run/task.ts'
import { type RunOptions, runMerge } from './run-merge.ts'

/** Where and how merges are kept that others are made of: as `runMerge`, but for the folder. */
export interface KeepOptions extends Omit<RunOptions, 'out' | 'methods'> {
  /** Gets a folder for each, of its name. */
  readonly folder: string
  /** The folder of the output, which none of them may be in the way of; absent: there is none. */
  readonly out?: string
  /** Keep what is there and was written by the same recipe from the same inputs; by default true. */
  readonly reuse?: boolean
  /** Called before each that is written. */
  readonly onStage?: (name: string, folder: string) => void
}

/** A merge that is kept. */
export interface KeptStage {
  readonly name: string
  readonly folder: string
  /** Whether it was there. */
  readonly isReused: boolean
  /** The tensors that have infinite values or NaN, or are made of such. */
  readonly nonFinite: readonly NonFiniteTensor[]
}

/** What this program has written to the folder, by name. */
interface KeptRecord {
  readonly version: 1
  readonly merges: Readonly<{ [name: string]: KeptMerge }>
}

interface KeptMerge {
  /** That of the plan with the states of its inputs. */
  readonly identity: string
  /** What was told when it was written; those of earlier versions don't have it. */
  readonly nonFinite?: readonly NonFiniteTensor[]
  /** The states of the files as they were written. */
  readonly files: Readonly<{ [name: string]: string }>
}

const recordName = '.mk-merges.json'

/**
 * Writes the named merges that others are made of, each as a whole model folder, one after the other. One that is there stays if recipe,
 * inputs and its own files are the same, and is replaced if not; what this has not written is left alone.
 * @throws MergeError 'kept-is-output', 'output-exists', and what `runMerge` throws
 */
export async function keepStages(
  { stages, methods }: Pick<PreparedMerge, 'stages' | 'methods'>,
  { folder, out, reuse = true, onStage, ...run }: KeepOptions,
): Promise<readonly KeptStage[]> {
  const record = await readRecord(folder)
  const places = stages
    .filter(({ isSum }) => !isSum)
    .map((stage) => {
      const place = join(folder, stage.name)
      const isOurs = record.merges[stage.name] !== undefined
      return { ...stage, place, overwrite: isOurs || (run.overwrite ?? false) }
    })
  for (const { place, overwrite } of places) {
    const [kept, output] = [resolve(place), out === undefined ? undefined : resolve(out)]
    if (output !== undefined && (isWithin(kept, output) || isWithin(output, kept)))
      throw new MergeError({ code: 'kept-is-output', folder: place })
    await checkOutput({ out: place, overwrite })
  }
  const merges = { ...record.merges }
  const done: KeptStage[] = []
  for (const { name, place, plan, overwrite } of places) {
    const { output: identity } = await readPlanIdentity(plan, { methods, runtime: run.runtime ?? wasmRuntime })
    const before = merges[name]
    // Merged anew, one that is not to be there ends the run with what is wrong.
    const isTolerated = run.strict !== true || before?.nonFinite?.length === 0
    const isReused = reuse && isTolerated && before?.identity === identity && (await isUnchanged(place, before))
    if (!isReused) {
      onStage?.(name, place)
      const { nonFinite } = await runMerge(plan, { ...run, methods, out: place, overwrite })
      merges[name] = { identity, files: await statesIn(place), nonFinite }
      await writeRecord(folder, { version: 1, merges })
    }
    done.push({ name, folder: place, isReused, nonFinite: merges[name]?.nonFinite ?? [] })
  }
  return done
}

async function isUnchanged(folder: string, { files }: KeptMerge): Promise<boolean> {
  const now = await statesIn(folder)
  return JSON.stringify(now) === JSON.stringify(files)
}

async function statesIn(folder: string): Promise<KeptMerge['files']> {
  const names = (await ifPresent(readdir(folder))) ?? []
  const states = await Promise.all(names.toSorted().map(async (name) => [name, await fileState(join(folder, name))]))
  return Object.fromEntries(states.filter(([, state]) => state !== undefined)) as KeptMerge['files']
}

/** One that can't be read is of no use, and nothing is taken for ours. */
async function readRecord(folder: string): Promise<KeptRecord> {
  const text = await ifPresent(readFile(join(folder, recordName), 'utf8'))
  try {
    const read = JSON.parse(text ?? '') as Partial<KeptRecord>
    if (read.version === 1 && typeof read.merges === 'object') return read as KeptRecord
  } catch {
    // As if there were none.
  }
  return { version: 1, merges: {} }
}

/** Aside first, so that there is a whole one whatever happens. */
async function writeRecord(folder: string, record: KeptRecord): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, recordName)
  await writeFile(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`)
  await rename(`${file}.new`, file)
}
