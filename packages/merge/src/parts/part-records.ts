import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { formatChecked, parseChecked, replaceDurably } from '../output/checked-json.ts'
import { makeFolder } from '../output/make-folder.ts'
import type { NonFiniteByTensor } from '../run/non-finite.ts'
import type { PartNumber } from './partition.ts'

/** The folder, in that of an output that grows, in which parts say what they have done. */
export const recordsName = '.parts'

/** What a part has done, in a file of its own: its elements are on the disk. */
export interface PartRecord extends PartNumber {
  /** The id of the plan file. */
  readonly plan: string
  /** Indices of tensors in the plan. */
  readonly finished: readonly number[]
  /** Of those, what is infinite or NaN in them, or in the part's share. */
  readonly nonFinite: NonFiniteByTensor
  /** What was unusual, as the method has it. */
  readonly warnings: readonly string[]
}

type Stage = 'begun' | 'done'

const nameOf = ({ part, of }: PartNumber, stage: Stage): string => `part-${part}-of-${of}-${stage}.json`

/** Says that a plan's parts are in a folder, or that its files have got their size: each a file of its own. */
const marks = { plan: 'plan.json', laidOut: 'laid-out.json' } as const

/** What the parts of one plan say in the folder that their output grows in. */
export interface PartRecords {
  /** Finds out whose parts are in the folder; undefined where none are. */
  planThere(): Promise<string | undefined>
  /** Says that this plan's are. */
  begin(): Promise<void>
  isLaidOut(): Promise<boolean>
  markLaidOut(): Promise<void>
  /** What is known of a part; one that is done has all of its tensors. */
  read(part: PartNumber): Promise<{ readonly record: PartRecord; readonly isDone: boolean } | undefined>
  /** @param isDone from then on nothing takes that back */
  write(record: PartRecord, isDone: boolean): Promise<void>
  /** Which parts are done, by the number of parts. */
  listDone(): Promise<ReadonlyMap<number, readonly number[]>>
  /** Deletes all of them. */
  remove(): Promise<void>
}

/** Opens the records of a plan's parts. @param partial the folder in which the output grows */
export function openPartRecords(partial: string, plan: string): PartRecords {
  const folder = join(partial, recordsName)
  const readChecked = async <T extends object>(name: string): Promise<T | undefined> => {
    const text = await ifPresent(readFile(join(folder, name), 'utf8'))
    return text === undefined ? undefined : parseChecked<T>(text)
  }
  const write = (name: string, value: object) => replaceDurably(join(folder, name), formatChecked(value))
  const planOf = async (mark: string) => (await readChecked<{ readonly plan: string }>(mark))?.plan
  const readPart = async (part: PartNumber, stage: Stage): Promise<PartRecord | undefined> => {
    const record = await readChecked<PartRecord>(nameOf(part, stage))
    const isOurs = record?.plan === plan && record.part === part.part && record.of === part.of
    return isOurs ? record : undefined
  }
  return {
    planThere: () => planOf(marks.plan),
    async begin() {
      await makeFolder(folder)
      await write(marks.plan, { plan })
    },
    isLaidOut: async () => (await planOf(marks.laidOut)) === plan,
    markLaidOut: () => write(marks.laidOut, { plan }),
    async read(part) {
      const done = await readPart(part, 'done')
      if (done !== undefined) return { record: done, isDone: true }
      const record = await readPart(part, 'begun')
      return record && { record, isDone: false }
    },
    async write(record, isDone) {
      await write(nameOf(record, isDone ? 'done' : 'begun'), record)
      if (isDone) await rm(join(folder, nameOf(record, 'begun')), { force: true })
    },
    async listDone() {
      const done = new Map<number, number[]>()
      for (const name of (await ifPresent(readdir(folder))) ?? []) {
        const [, part, of] = /^part-(\d+)-of-(\d+)-done\.json$/.exec(name)?.map(Number) ?? []
        if (part === undefined || of === undefined) continue
        if ((await readPart({ part, of }, 'done')) !== undefined) done.set(of, [...(done.get(of) ?? []), part])
      }
      return done
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
