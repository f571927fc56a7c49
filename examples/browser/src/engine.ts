// Opens, plans and merges, away from the page's own thread, so that the page answers to whoever uses it.
import { openCheckpointFrom } from '@mk/checkpoint/portable'
import { parseModelReference } from '@mk/config'
import { issueErrorOf } from '@mk/errors'
import {
  createFileMap,
  createFolderSink,
  createHubByRanges,
  describeNonFinite,
  type MappedFile,
  mergeFiles,
  type PreparedMerge,
  prepareMergeAt,
  type WebFolder,
} from '@mk/merge/browser'
import { storedBytes } from '@mk/merge/plan'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import type {
  EngineAnswer,
  EngineRequest,
  HubAddress,
  MergeFacts,
  MergeRequest,
  ModelFacts,
  PlanFacts,
} from './messages.ts'

/** Files by path: `/tiny-code/config.json`; those of hub models are entered when these are found. */
const files = new Map<string, MappedFile>()
const store = createFileMap(files)
let stop = new AbortController()

const scope = globalThis as unknown as {
  postMessage(answer: EngineAnswer): void
  onmessage: (event: { readonly data: { readonly id: number; readonly request: EngineRequest } | 'cancel' }) => void
}

scope.onmessage = ({ data }) => {
  if (data === 'cancel') return stop.abort(new DOMException('canceled', 'AbortError'))
  const { id, request } = data
  answerTo(request).then(
    (value) => scope.postMessage({ kind: 'done', id, value }),
    (error: unknown) => {
      const { message } = error as Error
      scope.postMessage({ kind: 'failed', id, message, code: issueErrorOf(error)?.code ?? (error as Error).name })
    },
  )
}

async function answerTo(request: EngineRequest): Promise<unknown> {
  switch (request.kind) {
    case 'add':
      for (const [path, file] of request.files) files.set(path, file)
      return undefined
    case 'remove':
      for (const path of files.keys())
        if (path === `/${request.model}` || path.startsWith(`/${request.model}/`)) files.delete(path)
      return undefined
    case 'inspect':
      return inspect(request.model, request)
    case 'check':
      return factsOf(await prepare(request))
    case 'merge':
      return withThreads(request.threads, async (createWorker) => merge(request, await prepare(request), createWorker))
    default:
      return request satisfies never
  }
}

const places = ({ endpoint, token }: HubAddress) => ({
  store,
  resolveHub: createHubByRanges({ files, endpoint, token }),
})

async function inspect(model: string, hub: HubAddress): Promise<ModelFacts> {
  const opened = await openCheckpointFrom(places(hub), parseModelReference(model), {
    roots: ['/'],
    allowNoConfig: true,
  })
  const [architecture] = (opened.config?.['architectures'] ?? []) as string[]
  return {
    architecture,
    notes: opened.notes,
    tensors: Array.from(opened.tensors, ([name, { shape, dtype }]) => ({
      name,
      shape,
      dtype,
      byteCount: elementCount(shape) * dtypeBytes(dtype),
    })),
  }
}

const prepare = ({ recipe, name, seed, ...hub }: MergeRequest): Promise<PreparedMerge> =>
  prepareMergeAt({ ...places(hub), current: '/' }, { text: recipe, file: 'recipe.yml', name, seed })

function factsOf({ plan, warnings }: PreparedMerge): PlanFacts {
  return {
    tensorCount: plan.tensors.length,
    byteCount: plan.tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0),
    files: [...plan.files, ...plan.copies, ...plan.documents].map(({ name }) => name),
    notes: [...warnings, ...plan.notes],
  }
}

const startThread = () => new Worker(new URL('./task-worker.ts', import.meta.url), { type: 'module' })

/** Of more threads the others start when it is known that there is enough for them to do. */
const mostAhead = 2

/** Starts threads of a merge, which load what they run while it is planned, and ends those that it had no use for. */
async function withThreads<T>(count: number, use: (createWorker: () => Worker) => Promise<T>): Promise<T> {
  const ahead = Array.from({ length: Math.min(count, mostAhead) }, startThread)
  try {
    return await use(() => ahead.pop() ?? startThread())
  } finally {
    for (const thread of ahead) thread.terminate()
  }
}

async function merge(
  { name, threads, folder }: Extract<EngineRequest, { kind: 'merge' }>,
  prepared: PreparedMerge,
  createWorker: () => Worker,
): Promise<MergeFacts> {
  stop = new AbortController()
  const started = performance.now()
  const notes: string[] = []
  // A folder of the page's own is written at once, a chosen one through the browser.
  const isOwn = folder === undefined
  const parent = folder ?? ((await navigator.storage.getDirectory()) as unknown as WebFolder)
  const { nonFinite } = await mergeFiles(prepared.plan, {
    files,
    methods: prepared.methods,
    sink: await createFolderSink(parent, name, { direct: isOwn, overwrite: isOwn }),
    threads,
    createWorker,
    signal: stop.signal,
    onProgress: ({ writtenBytes, totalBytes }) => report({ writtenBytes, totalBytes }),
    onWarning: (message) => notes.push(message),
  })
  const facts = factsOf(prepared)
  return {
    ...facts,
    notes: [...facts.notes, ...notes, ...nonFinite.map(describeNonFinite)],
    seconds: (performance.now() - started) / 1000,
  }
}

let reportedAt = 0
/** Some times a second is often enough to be looked at. */
function report(progress: { readonly writtenBytes: number; readonly totalBytes: number }): void {
  const isLast = progress.writtenBytes === progress.totalBytes
  if (!isLast && performance.now() - reportedAt < 100) return
  reportedAt = performance.now()
  scope.postMessage({ kind: 'progress', progress })
}
