import type { WebFolder } from '@mk/merge/browser'
import { element, find, formatBytes } from './dom.ts'
import type { Engine } from './engine-client.ts'
import type { MergeFacts, MergeRequest, PlanFacts, Progress } from './messages.ts'
import { copyOutput, folderPicker, readOutput, removeOutput, type StoredOutput } from './outputs.ts'

/** Runs merges, and shows how far they are and what came of them. */
export function showMerges(
  engine: Engine,
  { request, onError }: { request: () => MergeRequest; onError: (error: unknown) => void },
): void {
  const buttons = ['merge', 'merge-into', 'check'].map((id) => find<HTMLButtonElement>(id))
  const result = find('result')
  const threads = find<HTMLInputElement>('threads')
  threads.value = String(navigator.hardwareConcurrency)

  async function run(work: () => Promise<readonly (Node | string)[]>): Promise<void> {
    for (const button of buttons) button.disabled = true
    find('error').hidden = true
    result.hidden = true
    try {
      result.replaceChildren(...(await work()))
      result.hidden = false
    } catch (error) {
      onError(error)
    } finally {
      find('running').hidden = true
      for (const button of buttons) button.disabled = false
    }
  }

  async function merge(folder?: FileSystemDirectoryHandle): Promise<readonly (Node | string)[]> {
    const asked = request()
    const bar = find<HTMLProgressElement>('progress')
    bar.removeAttribute('value')
    find('status').textContent = 'reading headers'
    find('running').hidden = false
    if (folder === undefined) await checkRoom(await engine.check(asked))
    const started = performance.now()
    const facts = await engine.merge(
      {
        ...asked,
        threads: Math.max(1, threads.valueAsNumber || 1),
        folder: folder as unknown as WebFolder | undefined,
      },
      (progress) => {
        bar.value = progress.writtenBytes / progress.totalBytes
        find('status').textContent = describeProgress(progress, (performance.now() - started) / 1000)
      },
    )
    const text = `${facts.tensorCount} tensors, ${formatBytes(facts.byteCount)} in ${facts.seconds.toFixed(1)} s (${formatBytes(facts.byteCount / facts.seconds)}/s)`
    const where =
      folder === undefined
        ? await offerOutput(await readOutput(asked.name))
        : [`It is in ${folder.name}/${asked.name}.`]
    return [element('h3', { textContent: 'Merged' }), element('p', { textContent: text }), ...where, ...notesOf(facts)]
  }

  async function offerOutput(output: StoredOutput): Promise<readonly Node[]> {
    const links = output.files.map(([path, file]) => {
      const link = element('a', {
        href: URL.createObjectURL(file),
        download: path.split('/').at(-1)!,
        textContent: path,
      })
      return element('li', {}, link, ` ${formatBytes(file.size)}`)
    })
    const save = element('button', {
      type: 'button',
      textContent: 'Save all to a folder…',
      hidden: folderPicker === undefined,
    })
    save.addEventListener('click', () => {
      folderPicker!({ mode: 'readwrite' })
        .then((parent) => copyOutput(output, parent))
        .then(() => (save.textContent = 'Saved'), onError)
    })
    const remove = element('button', { type: 'button', textContent: 'Delete from this browser' })
    remove.addEventListener('click', () => {
      removeOutput(output.name).then(() => (result.hidden = true), onError)
    })
    return [element('ul', { className: 'files' }, ...links), element('p', { className: 'row' }, save, remove)]
  }

  find('merge').addEventListener('click', () => run(() => merge()))
  find('merge-into').hidden = folderPicker === undefined
  find('merge-into').addEventListener('click', () => run(async () => merge(await folderPicker!({ mode: 'readwrite' }))))
  find('check').addEventListener('click', () =>
    run(async () => {
      const facts = await engine.check(request())
      const text = `It gives ${facts.tensorCount} tensors, ${formatBytes(facts.byteCount)}: ${facts.files.join(', ')}`
      return [element('p', { textContent: text }), ...notesOf(facts)]
    }),
  )
  find('cancel').addEventListener('click', () => {
    find('status').textContent = 'canceling'
    engine.cancel()
  })
}

function describeProgress({ writtenBytes, totalBytes }: Progress, seconds: number): string {
  const rate = writtenBytes / seconds
  const left = Math.ceil((totalBytes - writtenBytes) / rate)
  return `${formatBytes(writtenBytes)} of ${formatBytes(totalBytes)}, ${formatBytes(rate)}/s, ${left} s left`
}

const notesOf = ({ notes }: MergeFacts | PlanFacts): readonly Node[] =>
  notes.length === 0
    ? []
    : [
        element('h3', { textContent: 'Notes' }),
        element(
          'ul',
          { className: 'notes' },
          ...[...new Set(notes)].map((note) => element('li', { textContent: note })),
        ),
      ]

/** Tells before anything is written that it can't fit. */
async function checkRoom({ byteCount }: PlanFacts): Promise<void> {
  const { quota, usage } = await navigator.storage.estimate()
  const free = (quota ?? Infinity) - (usage ?? 0)
  if (byteCount > free)
    throw new Error(
      `the output has ${formatBytes(byteCount)}, and the browser gives this page ${formatBytes(free)}; merge into a folder instead`,
    )
}
