import { createHash } from 'node:crypto'
import { existsSync, fdatasyncSync } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import { operationInputs, type MergePlan } from '../plan/merge-plan.ts'
import { sourceFiles } from '../plan/source-files.ts'
import { reasonOf } from '../run/output-writer.ts'

/** How long finished tensors may go unrecorded: what an interrupted merge does again at most. */
const journalIntervalMs = 5000
const journalName = 'journal.json'

interface Journal {
  readonly identity: string
  /** Of the process that writes, so that two do not write into one folder. */
  readonly process: number
  /** Indices of tensors whose elements are on the disk. */
  readonly finished: readonly number[]
}

export interface OutputOptions {
  readonly out: string
  /** Replace a folder that has files. */
  readonly overwrite: boolean
}

/**
 * A merge's output: written into `<out>.partial`, which takes its final name when everything is in it. A journal there tells
 * which tensors are done, so that a merge that was killed goes on; one that failed leaves nothing.
 */
export interface OutputFolder {
  /** Paths of the data files by their index in the plan, laid out to their full size. */
  readonly files: readonly string[]
  /** Tensors that an earlier, interrupted run of the same plan has finished. */
  readonly finished: ReadonlySet<number>
  /** To be called when all of a tensor's elements are written. */
  finish(tensor: number): Promise<void>
  /** Writes the small files and gives the folder its final name. */
  complete(): Promise<void>
  /** Deletes what was written. */
  discard(): Promise<void>
  /** Leaves what was written for a later run. */
  suspend(): Promise<void>
}

/** @throws MergeError 'output-exists' or 'output-unwritable' before anything is written. */
export async function checkOutput({ out, overwrite }: OutputOptions): Promise<void> {
  const entries = await readdir(out).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: reasonOf(cause) }, { cause })
  })
  if (entries.length > 0 && !overwrite) throw new MergeError({ code: 'output-exists', folder: out, entryCount: entries.length })
}

export async function openOutputFolder(plan: MergePlan, options: OutputOptions): Promise<OutputFolder> {
  await checkOutput(options)
  const out = resolve(options.out)
  const partial = `${out}.partial`
  const identity = await planIdentity(plan)
  const finished = new Set(await resumable(partial, identity))
  const files = plan.files.map(({ name }) => join(partial, name))
  const handles: FileHandle[] = []
  try {
    if (finished.size === 0) await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { recursive: true })
    for (const [index, file] of files.entries()) {
      const handle = await open(file, finished.size === 0 ? 'w+' : 'r+')
      handles.push(handle)
      if (finished.size > 0) continue
      const tensors = plan.tensors.filter((tensor) => tensor.file === index)
      await handle.write(layoutFile(tensors, plan.files[index]!.metadata).header, 0)
      await handle.truncate(plan.files[index]!.fileBytes)
    }
  } catch (cause) {
    await closeAll(handles)
    if (finished.size === 0) await rm(partial, { recursive: true, force: true }).catch(() => {})
    throw new MergeError({ code: 'output-unwritable', folder: options.out, reason: reasonOf(cause) }, { cause })
  }

  let recordedAt = performance.now()
  const record = async () => {
    recordedAt = performance.now()
    for (const { fd } of handles) fdatasyncSync(fd)
    const journal: Journal = { identity, process: process.pid, finished: [...finished] }
    await writeFile(join(partial, `${journalName}.new`), JSON.stringify(journal))
    await rename(join(partial, `${journalName}.new`), join(partial, journalName))
  }
  let recording: Promise<void> = Promise.resolve()

  return {
    files,
    finished: new Set(finished),
    finish(tensor) {
      finished.add(tensor)
      if (performance.now() - recordedAt > journalIntervalMs) {
        recordedAt = performance.now()
        recording = recording.then(record)
      }
      return recording
    },
    async complete() {
      await recording
      await closeAll(handles)
      await writeSmallFiles(plan, partial)
      await rm(join(partial, journalName), { force: true })
      await publish(partial, out, options)
    },
    async discard() {
      await recording.catch(() => {})
      await closeAll(handles)
      await rm(partial, { recursive: true, force: true })
    },
    async suspend() {
      await recording.catch(() => {})
      await record()
      await closeAll(handles)
    },
  }
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close().catch(() => {})))
}

async function writeSmallFiles(plan: MergePlan, folder: string): Promise<void> {
  try {
    for (const { name, from } of plan.copies) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await copyFile(from, join(folder, name))
    }
    for (const { name, text } of plan.documents) await writeFile(join(folder, name), text)
  } catch (cause) {
    throw new MergeError({ code: 'write-failed', file: (cause as NodeJS.ErrnoException).path ?? folder, reason: reasonOf(cause) }, { cause })
  }
}

/** An existing folder steps aside first and is deleted last, so that at any moment one of the two is whole. */
async function publish(partial: string, out: string, { overwrite }: OutputOptions): Promise<void> {
  try {
    if (!existsSync(out)) return await rename(partial, out)
    if (!overwrite) {
      await rmdir(out)
      return await rename(partial, out)
    }
    const replaced = join(dirname(out), `.${basename(out)}.replaced-${process.pid}`)
    await rename(out, replaced)
    await rename(partial, out)
    await rm(replaced, { recursive: true, force: true })
  } catch (cause) {
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: reasonOf(cause) }, { cause })
  }
}

/** The plan and the state of the files it reads: what makes two runs write the same bytes. */
async function planIdentity(plan: MergePlan): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([plan.method, plan.seed, plan.files, plan.tensors]))
  const inputs = plan.tensors.flatMap(({ operation }) => operationInputs(operation))
  for (const file of sourceFiles(inputs.map(({ source }) => source))) {
    const { size, mtimeMs } = await stat(file)
    hash.update(`${file}\0${size}\0${mtimeMs}\0`)
  }
  return hash.digest('hex')
}

/** @returns the tensors that need not be done again. @throws MergeError 'output-busy' while another process writes there. */
async function resumable(partial: string, identity: string): Promise<readonly number[]> {
  const text = await readFile(join(partial, journalName), 'utf8').catch(() => undefined)
  if (text === undefined) return []
  const journal = parseJournal(text)
  if (journal === undefined || journal.identity !== identity) return []
  if (journal.process !== process.pid && isRunning(journal.process)) {
    throw new MergeError({ code: 'output-busy', folder: partial, process: journal.process })
  }
  return journal.finished
}

function parseJournal(text: string): Journal | undefined {
  try {
    return JSON.parse(text) as Journal
  } catch {
    return undefined
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
