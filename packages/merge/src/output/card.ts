import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatChecksums, parseChecksums } from '@mk/checkpoint/portable'
import { ifPresent } from '@mk/errors'
import type { MergePlan } from '../plan/merge-plan.ts'
import { outputNames } from '../plan/output-names.ts'

/** Writes the card of a plan again, with the checksums of its files of weights, and of their index where it has one. */
export async function writeChecksums(
  folder: string,
  { documents }: MergePlan,
  checksums: ReadonlyMap<string, string>,
): Promise<void> {
  const textOf = (wanted: string) => documents.find(({ name }) => name === wanted)?.text
  const index = textOf(outputNames.index)
  const all = new Map(checksums)
  if (index !== undefined) all.set(outputNames.index, createHash('sha256').update(index).digest('hex'))
  await writeFile(join(folder, outputNames.card), `${textOf(outputNames.card)!}\n${formatChecksums(all)}`)
}

/** Reads the checksums of a card; undefined where there is no card, or none in it. */
export async function readChecksums(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  const card = await ifPresent(readFile(join(folder, outputNames.card), 'utf8'))
  return card === undefined ? undefined : parseChecksums(card)
}
