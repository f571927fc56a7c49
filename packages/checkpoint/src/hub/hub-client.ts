import { CheckpointError } from '../errors.ts'
import { commitUrl, fileUrl, nextPageUrl, treeUrl } from './hub-api.ts'
import type { HubOptions, HubSettings } from './hub-settings.ts'
import { type HubFile, isHash, parseListedFile, parseListedFolder } from './listed-file.ts'
import { describeNetworkError, readRetryAfter } from './passing-failures.ts'
import { pause } from './pause.ts'
import { readAnswer } from './response-body.ts'

interface HubListing {
  readonly files: readonly HubFile[]
  readonly folders: readonly string[]
}

/** The hub's answers about one model. */
export interface HubClient {
  readonly id: string
  /** Of the endpoint, as in an address. */
  readonly host: string
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
/** A signed address may expire between two requests; a new one comes with the next. */
const storageAttempts = 3
const maxRateLimitWaits = 6
const longestWaitMs = 15 * 60_000
const maxFiles = 20_000
/** A page has a thousand files; a list that goes on without any never ends. */
const maxPages = 200

/** A failure that may pass: what it is told as in the end, and how often and how soon it is worth another try. */
interface PassingFailure {
  readonly error: CheckpointError
  readonly reason: string
  readonly attempts: number
  readonly waitMs?: number | undefined
  readonly isRateLimit?: boolean
}

/** What of the settings has to do with asking a hub. */
export type HubAccount = Pick<HubSettings, 'endpoint' | 'hasToken' | 'fetch' | 'holdsToken' | 'authorize' | 'headers'>

/** Creates a client for one model, which repeats requests that fail for a passing reason. */
export function createHubClient(id: string, settings: HubAccount, options: HubOptions): HubClient {
  const { retryDelayMs = 500, stallMs = 60_000, onActivity } = options
  const { hasToken, endpoint } = settings
  const ownHost = new URL(endpoint).host
  /** Hosts that were there a moment ago: of these, silence may pass. */
  const answered = new Set<string>()

  /** Repeats until there is a successful answer; everything else is an error of ours, without any text of the server's. */
  async function request(url: string, what: string, init: RequestInit = {}): Promise<Response> {
    let waits = 0
    for (let attempt = 1; ;) {
      onActivity?.({ kind: 'asking', id, what })
      const answer = await ask(url, what, init)
      if ('response' in answer) return answer.response
      const { error, reason, isRateLimit = false } = answer
      const waitMs = answer.waitMs ?? retryDelayMs * 2 ** (attempt - 1)
      if (waitMs > longestWaitMs) throw error
      if (isRateLimit) {
        if (++waits > maxRateLimitWaits) throw error
        onActivity?.({ kind: 'rate-limit', id, what, waitMs })
      } else {
        if (attempt++ >= answer.attempts) throw error
        onActivity?.({ kind: 'repeating', id, what, reason, waitMs, attempt, attempts: answer.attempts })
      }
      await pause(waitMs, anyOf(init.signal, options.signal))
    }
  }

  /** Asks once. @throws CheckpointError where asking again would give the same answer */
  async function ask(
    url: string,
    what: string,
    init: RequestInit,
  ): Promise<{ readonly response: Response } | PassingFailure> {
    let response: Response
    try {
      response = await connect(url, init)
    } catch (error) {
      options.signal?.throwIfAborted()
      init.signal?.throwIfAborted()
      const { reason, isUnreachable, host = ownHost } = describeNetworkError(error)
      const unreachable = new CheckpointError({ code: 'hub-unreachable', id, what, reason, host })
      return { error: unreachable, reason, attempts: isUnreachable && !answered.has(host) ? 1 : attempts }
    }
    const host = URL.canParse(response.url) ? new URL(response.url).host : ownHost
    answered.add(host)
    answered.add(ownHost)
    if (response.ok) return { response }
    await response.body?.cancel()
    const { status } = response
    const waitMs = readRetryAfter(response.headers)
    const reason = `status ${status}`
    if (status === 429 && waitMs !== undefined) {
      const seconds = Math.ceil(waitMs / 1000)
      const error = new CheckpointError({ code: 'hub-rate-limited', id, what, seconds, hasToken })
      return { error, reason, attempts, waitMs, isRateLimit: true }
    }
    if (status === 429 || status >= 500)
      return { error: new CheckpointError({ code: 'hub-status', id, what, status }), reason, attempts, waitMs }
    if (host !== ownHost && [401, 403].includes(status)) {
      const error = new CheckpointError({ code: 'hub-storage', id, what, host, status })
      return { error, reason: `${reason} from ${host}`, attempts: storageAttempts }
    }
    throw refusal(response, what)
  }

  /** fetch drops the header of authorization by itself where it is redirected to another host. */
  async function connect(url: string, init: RequestInit): Promise<Response> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(new Error('no answer in time')), stallMs)
    try {
      const headers = {
        ...settings.headers,
        ...Object.fromEntries(new Headers(init.headers)),
        ...settings.authorize(url),
      }
      return await settings.fetch(url, {
        ...init,
        headers,
        signal: anyOf(patience.signal, init.signal, options.signal),
      })
    } finally {
      clearTimeout(timer)
    }
  }

  function refusal(response: Response, what: string): CheckpointError {
    const reason = response.headers.get('x-error-code')
    if (reason === 'GatedRepo')
      return new CheckpointError({ code: 'hub-gated', id, hasToken, page: `${endpoint}/${id}` })
    if (response.status === 401) return new CheckpointError({ code: 'hub-unauthorized', id, hasToken })
    if (response.status === 403) return new CheckpointError({ code: 'hub-forbidden', id, what, hasToken })
    if (response.status === 404)
      return new CheckpointError({ code: 'hub-not-found', id, hasToken, ...(reason !== 'RepoNotFound' && { what }) })
    return new CheckpointError({ code: 'hub-status', id, what, status: response.status })
  }

  /** Takes an answer to its end, as long as it is bearable: what parses it knows no bound. */
  async function askForJson(
    url: string,
    what: string,
  ): Promise<{ readonly value: unknown; readonly headers: Headers }> {
    const response = await request(url, what, { headers: { accept: 'application/json' } })
    const bytes = await readAnswer(response, { id, what, host: ownHost, stallMs, signal: options.signal })
    try {
      return { value: JSON.parse(new TextDecoder().decode(bytes)), headers: response.headers }
    } catch {
      throw notUnderstood(`the ${what} is no JSON`)
    }
  }

  const notUnderstood = (problem: string) => new CheckpointError({ code: 'hub-answer', id, problem })

  return {
    id,
    host: ownHost,
    async findCommit(revision) {
      const { value } = await askForJson(commitUrl(endpoint, id, revision), `revision '${revision}'`)
      const { sha } = (typeof value === 'object' && value !== null ? value : {}) as { readonly sha?: unknown }
      if (typeof sha !== 'string' || !isHash(sha)) throw notUnderstood('it names no commit')
      return sha
    },
    async listFiles(commit, folder) {
      const files: HubFile[] = []
      const folders: string[] = []
      let pages = 0
      for (let url: string | undefined = treeUrl(endpoint, id, commit, folder); url !== undefined;) {
        if (++pages > maxPages) throw notUnderstood(`its list of files has more than ${maxPages} pages`)
        const { value, headers } = await askForJson(url, 'list of files')
        if (!Array.isArray(value)) throw notUnderstood('its list of files is no list')
        for (const entry of value) {
          const inner = folder === undefined ? parseListedFolder(entry) : undefined
          if (inner !== undefined) folders.push(inner)
          const file = parseListedFile(entry, id, folder)
          if (file === undefined || settings.holdsToken(file.name)) continue
          if (files.length === maxFiles) throw notUnderstood(`it lists more than ${maxFiles} files`)
          files.push(file)
        }
        url = nextPageUrl(headers.get('link'), url)
      }
      return { files, folders }
    },
    open(commit, file, byteStart, byteEnd, signal) {
      const range =
        byteStart === 0 && byteEnd === undefined
          ? {}
          : { range: `bytes=${byteStart}-${byteEnd === undefined ? '' : byteEnd - 1}` }
      return request(fileUrl(endpoint, id, commit, file), file, {
        headers: { 'accept-encoding': 'identity', ...range },
        ...(signal && { signal }),
      })
    },
  }
}

const anyOf = (...signals: readonly (AbortSignal | null | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined && signal !== null))
