import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layoutFile } from '@mk/safetensors'
import { createFileMap, type FileMap } from '@mk/source/web'
import { expect, test } from 'vitest'
import { mergeIn } from '../__fixtures__/merge.ts'
import { useFolder } from '../__fixtures__/models.ts'
import { prepareMergeAt } from '../prepare/prepare-merge.ts'
import { mergeFiles, type MergeFilesOptions } from './merge-files.ts'
import { createMemorySink } from './merge-sink.ts'
import { type FilesPort, serveFiles } from './serve-files.ts'
import type { WebWorker } from './web-port.ts'

const folder = useFolder()
const goldens = fileURLToPath(new URL('../../../../goldens/models/', import.meta.url))

const filesOf = (root: string): Map<string, Uint8Array> =>
  new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => [`/${relative(root, path)}`, new Uint8Array(readFileSync(path))]),
  )

/** A worker in the calling thread; messages are copied as they are between threads. */
function createWorker(): WebWorker {
  let onRequest: Parameters<FilesPort['listen']>[0]
  let onAnswer: (event: { readonly data: unknown }) => void
  let isEnded = false
  serveFiles({
    post(answer, transfer = []) {
      const copy = structuredClone(answer, { transfer })
      setTimeout(() => isEnded || onAnswer({ data: copy }))
    },
    listen: (listener) => (onRequest = listener),
  })
  return {
    postMessage: (request, transfer) => {
      const copy = structuredClone(request, { transfer }) as Parameters<typeof onRequest>[0]
      setTimeout(() => isEnded || onRequest(copy))
    },
    addEventListener: (type: string, listener: unknown) => {
      if (type === 'message') onAnswer = listener as typeof onAnswer
    },
    terminate: () => (isEnded = true),
  }
}

async function mergeHere(text: string, options: Partial<MergeFilesOptions> = {}, files: FileMap = filesOf(goldens)) {
  const { plan, methods, warnings } = await prepareMergeAt({ store: createFileMap(files), current: '/' }, { text })
  const sink = createMemorySink()
  await mergeFiles(plan, { files, methods, sink, createWorker, threads: 2, ...options })
  return { files: sink.files, warnings, plan }
}

const models = 'models: [{model: llama-base}, {model: llama-ft1}]'
test.each([
  ['linear', `merge_method: linear\nparameters: {weight: 1}\n${models}\ndtype: bfloat16`],
  ['ties', `merge_method: ties\nbase_model: llama-base\nparameters: {weight: 0.5, density: 0.4}\n${models}`],
  [
    'slices of a pickle',
    'merge_method: passthrough\nslices:\n- sources: [{model: pickle-base, layer_range: [0, 2]}]\n- sources: [{model: pickle-base, layer_range: [1, 3]}]',
  ],
  ['an adapter', 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: llama-base+lora-qvd}]'],
  [
    'a merge of merges',
    `name: mean\nmerge_method: linear\nparameters: {weight: 1}\n${models}\n---\nmerge_method: slerp\nbase_model: llama-ft2\nparameters: {t: 0.5}\nmodels: [{model: llama-ft2}, {model: mean}]`,
  ],
  [
    'shards',
    'merge_method: slerp\nbase_model: llama16-base\nparameters: {t: [0, 1]}\nmodels: [{model: llama16-base}, {model: llama16-ft1}]',
  ],
])('%s gives the files that a merge on disk gives', async (_, text) => {
  const { out, plan } = await mergeIn(folder.path, text, { prepare: { roots: [goldens] }, checksums: false })
  const { files, plan: own } = await mergeHere(text)
  expect([...files.keys()].toSorted()).toEqual(readdirSync(out).toSorted())
  for (const [name, bytes] of files)
    expect([name, Buffer.compare(readFileSync(join(out, name)), bytes)]).toEqual([name, 0])
  expect(own.notes).toEqual(plan.notes)
})

test('blobs of large tensors are streamed, each byte once, and give what bytes in memory give', async () => {
  const shape = [512, 1024]
  const { header, fileBytes, tensors } = layoutFile(
    ['x', 'y', 'z'].map((name) => ({ name, dtype: 'F16', shape })),
    {},
  )
  const inMemory = new Map(
    ['a', 'b'].map((name, seed) => {
      const bytes = new Uint8Array(fileBytes)
      bytes.set(header)
      for (const { byteStart, byteEnd } of tensors)
        for (let at = byteStart; at < byteEnd; at++) bytes[at] = ((at * 31 + seed) >>> 2) & 0x3b
      return [`/${name}.safetensors`, bytes]
    }),
  )
  const starts: (number | undefined)[] = []
  class StreamedBlob extends Blob {
    override slice(start?: number, end?: number): Blob {
      const slice = super.slice(start, end)
      const { stream } = slice
      return Object.assign(slice, {
        stream(this: Blob) {
          starts.push(start)
          return stream.call(this)
        },
      })
    }
  }
  const streamed = new Map([...inMemory].map(([name, bytes]) => [name, new StreamedBlob([bytes])]))
  const text =
    'merge_method: slerp\nbase_model: a.safetensors\nparameters: {t: 0.5}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]'
  const [expected, found] = [await mergeHere(text, {}, inMemory), await mergeHere(text, {}, streamed)]
  const name = 'model.safetensors'
  expect(Buffer.compare(found.files.get(name)!, expected.files.get(name)!)).toBe(0)
  expect(starts).toEqual([tensors[0]!.byteStart, tensors[0]!.byteStart])
})

test('a model that is not there is told as on disk, with the folders that are', async () => {
  const text = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: llama-bas}]'
  await expect(mergeHere(text)).rejects.toMatchObject({ code: 'folder-not-found', issue: { near: 'llama-base' } })
})

test('a signal ends it, and what was written is discarded', async () => {
  const stop = new AbortController()
  const sink = createMemorySink()
  const text = `merge_method: linear\nparameters: {weight: 1}\n${models}`
  const running = mergeHere(text, { sink, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) })
  await expect(running).rejects.toThrow('enough')
  expect(sink.files.size).toBe(0)
})

test('what the sink refuses names the file', async () => {
  const sink = {
    ...createMemorySink(),
    open: () => Promise.reject(Object.assign(new Error('quota'), { name: 'QuotaExceededError' })),
  }
  await expect(mergeHere(`merge_method: linear\nparameters: {weight: 1}\n${models}`, { sink })).rejects.toMatchObject({
    code: 'write-failed',
    issue: { file: 'model.safetensors', reason: 'the browser gives this page no more room' },
  })
})
