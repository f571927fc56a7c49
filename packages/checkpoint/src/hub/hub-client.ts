import { setTimeout as sleep } from 'node:timers/promises'
import { listFiles, modelInfo } from '@huggingface/hub'
import { CheckpointError } from '../errors.ts'
import type { HubOptions, HubSettings } from './hub-settings.ts'
import { type HubFile, isHash, parseListedFile, parseListedFolder } from './listed-file.ts'
import { describeNetworkError, readAnswer } from './response-body.ts'

export interface HubListing {
  readonly files: readonly HubFile[]
  readonly folders: readonly string[]
}

/** The hub's answers about one model. */
export interface HubClient {
  readonly id: string
  /** The commit that a branch or tag stands for now. */
  findCommit(revision: string): Promise<string>
  /** The files at the top level of a commit, or all that are inside one of its folders; and the folders at that place. */
  listFiles(commit: string, folder?: string): Promise<HubListing>
  /** Bytes [byteStart, byteEnd) of a file, or all that follow; the server may answer with the whole file (status 200). */
  open(
    commit: string,
    file: string,
    byteStart: number,
    byteEnd: number | undefined,
    signal?: AbortSignal,
  ): Promise<Response>
}

/** A file of a commit. */
export interface RemoteFile {
  readonly client: HubClient
  readonly commit: string
  readonly file: HubFile
}

const attempts = 5
const maxFiles = 20_000
/** A page has a thousand files; a list that goes on without any never ends. */
const maxPages = 200

/** Creates a client for one model, which repeats requests that fail for a passing reason. */
export function createHubClient(id: string, settings: HubSettings, options: HubOptions): HubClient {
  const { fetch: baseFetch = fetch, retryDelayMs = 500, stallMs = 60_000 } = options
  const repo = { type: 'model', name: id } as const

  /** Repeats until there is a successful answer; everything else is an error of ours, without any text of the server's. */
  async function request(url: string, what: string, init: RequestInit = {}): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      let reason: string
      try {
        const response = await connect(url, init)
        if (response.ok) return response
        await response.body?.cancel()
        if (response.status !== 429 && response.status < 500) throw refusal(response, what)
        if (attempt === attempts) throw new CheckpointError({ code: 'hub-status', id, what, status: response.status })
        reason = `status ${response.status}`
      } catch (error) {
        if (error instanceof CheckpointError) throw error
        options.signal?.throwIfAborted()
        init.signal?.throwIfAborted()
        reason = describeNetworkError(error)
      }
      if (attempt === attempts) throw new CheckpointError({ code: 'hub-unreachable', id, what, reason })
      await sleep(retryDelayMs * 2 ** (attempt - 1), undefined, { ...(options.signal && { signal: options.signal }) })
    }
  }

  /** fetch drops the header of authorization by itself where it is redirected to another host. */
  async function connect(url: string, init: RequestInit): Promise<Response> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(new Error('no answer in time')), stallMs)
    const signals = [patience.signal, init.signal, options.signal].filter(
      (signal) => signal !== undefined && signal !== null,
    )
    try {
      const headers = {
        'user-agent': 'mk',
        ...Object.fromEntries(new Headers(init.headers)),
        ...settings.authorize(url),
      }
      return await baseFetch(url, { ...init, headers, signal: AbortSignal.any(signals) })
    } finally {
      clearTimeout(timer)
    }
  }

  function refusal(response: Response, what: string): CheckpointError {
    const { hasToken } = settings
    const reason = response.headers.get('x-error-code')
    if (reason === 'GatedRepo' || response.status === 403)
      return new CheckpointError({ code: 'hub-gated', id, hasToken })
    if (response.status === 401) return new CheckpointError({ code: 'hub-unauthorized', id, hasToken })
    if (response.status === 404)
      return new CheckpointError({ code: 'hub-not-found', id, what: reason === 'RepoNotFound' ? 'trace' : what })
    return new CheckpointError({ code: 'hub-status', id, what, status: response.status })
  }

  /** Takes answers to their end, as long as they are bearable: who parses them knows no bound. */
  const fetchFor =
    (what: string): typeof fetch =>
    async (input, init) => {
      const response = await request(String(input), what, init)
      const { status, headers } = response
      return new Response(await readAnswer(response, { id, what, stallMs, signal: options.signal }), {
        status,
        headers,
      })
    }

  const understood = async <T>(answer: () => Promise<T>): Promise<T> => {
    try {
      return await answer()
    } catch (error) {
      if (error instanceof CheckpointError || options.signal?.aborted === true) throw error
      throw new CheckpointError({ code: 'hub-answer', id, problem: error instanceof Error ? error.name : 'unknown' })
    }
  }

  return {
    id,
    async findCommit(revision) {
      const fetchInfo = fetchFor(`revision '${revision}'`)
      const { sha } = await understood(() =>
        modelInfo({ name: id, revision, hubUrl: settings.endpoint, additionalFields: ['sha'], fetch: fetchInfo }),
      )
      if (typeof sha !== 'string' || !isHash(sha))
        throw new CheckpointError({ code: 'hub-answer', id, problem: 'it names no commit' })
      return sha
    },
    async listFiles(commit, folder) {
      const files: HubFile[] = []
      const folders: string[] = []
      const fetchPage = fetchFor('list of files')
      let pages = 0
      await understood(async () => {
        for await (const entry of listFiles({
          repo,
          revision: commit,
          hubUrl: settings.endpoint,
          ...(folder !== undefined && { path: folder, recursive: true }),
          fetch: (input, init) => {
            if (++pages > maxPages)
              throw new CheckpointError({
                code: 'hub-answer',
                id,
                problem: `its list of files has more than ${maxPages} pages`,
              })
            return fetchPage(input, init)
          },
        })) {
          const inner = folder === undefined ? parseListedFolder(entry) : undefined
          if (inner !== undefined) folders.push(inner)
          const file = parseListedFile(entry, id, folder)
          if (file === undefined || settings.holdsToken(file.name)) continue
          if (files.length === maxFiles)
            throw new CheckpointError({ code: 'hub-answer', id, problem: `it lists more than ${maxFiles} files` })
          files.push(file)
        }
      })
      return { files, folders }
    },
    open(commit, file, byteStart, byteEnd, signal) {
      const url = `${settings.endpoint}/${id}/resolve/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`
      const range =
        byteStart === 0 && byteEnd === undefined
          ? {}
          : { range: `bytes=${byteStart}-${byteEnd === undefined ? '' : byteEnd - 1}` }
      return request(url, file, { headers: { 'accept-encoding': 'identity', ...range }, ...(signal && { signal }) })
    },
  }
}
