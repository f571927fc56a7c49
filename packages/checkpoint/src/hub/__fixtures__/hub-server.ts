import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen } from './listen.ts'

export interface HubServerOptions {
  readonly id: string
  /** Further ids of the same files. */
  readonly aliases?: readonly string[]
  readonly commit: string
  readonly files: Readonly<Record<string, Uint8Array | string>>
  /** Requests without it are answered with 401. */
  readonly token?: string
  readonly gated?: boolean
  /** Entries of the list per page. */
  readonly pageSize?: number
  /** Pages after the first are at the second server. */
  readonly pagesElsewhere?: boolean
  /** How often the connection breaks after so many bytes of a file's body. */
  readonly drops?: Record<string, { afterBytes: number; times: number }>
  /** Files whose bodies never begin. */
  readonly silent?: readonly string[]
  /** How fast bodies of large files come; absent: at once. */
  readonly bytesPerSecond?: number
  /** Ranges are ignored. */
  readonly noRanges?: boolean
  /** Bytes that the list says a file has. */
  readonly listedBytes?: Readonly<Record<string, number>>
  /** Other bytes than those whose hash is listed. */
  readonly served?: Readonly<Record<string, Uint8Array>>
  /** So many requests are first answered with status 503. */
  readonly busy?: { times: number }
  /** Answers in place of the hub or its storage, where it returns something. */
  readonly answer?: (
    request: SeenRequest,
  ) => { readonly status: number; readonly headers?: Record<string, string> } | undefined
  /** With every answer, also to what is asked before a question (OPTIONS). */
  readonly headers?: Readonly<Record<string, string>>
  /** Changes what the list says of a file. */
  readonly listed?: (entry: Record<string, unknown>) => Record<string, unknown>
}

interface SeenRequest {
  readonly method: string | undefined
  readonly host: 'hub' | 'cdn'
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
  readonly userAgent: string | undefined
}

export interface HubServer {
  readonly url: string
  readonly requests: SeenRequest[]
  close(): Promise<void>
}

/** A hub with one model on 127.0.0.1: weights are redirected to a second server, as the real one does. */
export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const requests: SeenRequest[] = []
  const ids = [options.id, ...(options.aliases ?? [])]
  const files = Object.entries(options.files).map(([name, content]) => {
    const bytes = typeof content === 'string' ? new Uint8Array(Buffer.from(content)) : content
    const isLarge = /\.(safetensors|bin)$/.test(name)
    const hash = isLarge
      ? createHash('sha256').update(bytes).digest('hex')
      : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
    return { name, bytes, isLarge, hash }
  })
  const cdn = await listen((request, response) => {
    if (note('cdn', request, response)) return
    if (ids.some((id) => request.url!.startsWith(`/api/models/${id}/tree/`))) return list(request, response)
    const file = files.find(({ hash }) => request.url === `/blobs/${hash}?signature=secret`)
    if (file === undefined) return void response.writeHead(404).end()
    send(request, response, file)
  })
  const hub = await listen((request, response) => {
    if (note('hub', request, response)) return
    const url = new URL(request.url!, 'http://hub')
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    if (options.busy !== undefined && options.busy.times > 0) {
      options.busy.times--
      return void json(503, { error: 'busy' })
    }
    const id = ids.find((each) => url.pathname.includes(`/${each}/`))
    if (id === undefined) return void json(404, { error: 'nothing' }, { 'x-error-code': 'RepoNotFound' })
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      return void json(401, { error: `you sent ${request.headers.authorization}` })
    }
    if (options.gated === true && !url.pathname.startsWith('/api/'))
      return void json(403, { error: 'gated' }, { 'x-error-code': 'GatedRepo' })
    const revision = /\/revision\/([^/]+)$/.exec(url.pathname)?.[1]
    if (revision !== undefined) {
      return void (['main', 'v1', 'HEAD'].includes(revision)
        ? json(200, { _id: '1', id, sha: options.commit })
        : json(404, {}, { 'x-error-code': 'RevisionNotFound' }))
    }
    if (url.pathname.startsWith(`/api/models/${id}/tree/${options.commit}`)) return list(request, response)
    const name = new RegExp(`^/${id}/resolve/${options.commit}/(.+)$`).exec(url.pathname)?.[1]
    const file = files.find((known) => known.name === decodeURIComponent(name ?? ''))
    if (file === undefined) return void json(404, {}, { 'x-error-code': 'EntryNotFound' })
    if (file.isLarge) response.writeHead(302, { location: `${cdn.url}/blobs/${file.hash}?signature=secret` }).end()
    else send(request, response, file)
  })

  /** @returns whether the request is answered by that */
  function note(host: 'hub' | 'cdn', { method, url, headers }: IncomingMessage, response: ServerResponse): boolean {
    const { range, authorization, 'user-agent': userAgent } = headers
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value)
    const seen = { host, method, path: url!, range, authorization, userAgent }
    requests.push(seen)
    const answer = options.answer?.(seen)
    if (answer !== undefined) response.writeHead(answer.status, answer.headers).end()
    return answer !== undefined
  }

  /** One page of the list of files. */
  function list(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, 'http://hub')
    const under = decodeURIComponent(pathname.split(`/tree/${options.commit}/`)[1] ?? '')
    const folders = new Set([
      'onnx',
      ...files.flatMap(({ name }) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : [])),
    ])
    const inside = files.filter(({ name }) => (under === '' ? !name.includes('/') : name.startsWith(`${under}/`)))
    const entries = [
      ...(under === '' ? [...folders] : []).map((path) => ({ type: 'directory', path, oid: '0'.repeat(40), size: 0 })),
      ...inside.map(describe),
    ]
    const start = Number(searchParams.get('cursor') ?? 0)
    const end = start + (options.pageSize ?? 1000)
    const next = `${(options.pagesElsewhere === true ? cdn : hub).url}${pathname}?cursor=${end}`
    const more = end < entries.length ? { link: `<${next}>; rel="next"` } : {}
    response
      .writeHead(200, { 'content-type': 'application/json', ...more })
      .end(JSON.stringify(entries.slice(start, end)))
  }

  function describe({ name, bytes, isLarge, hash }: (typeof files)[number]): Record<string, unknown> {
    const size = options.listedBytes?.[name] ?? bytes.length
    const entry = {
      type: 'file',
      path: name,
      size,
      oid: isLarge ? '1'.repeat(40) : hash,
      ...(isLarge && { lfs: { oid: hash, size, pointerSize: 130 } }),
    }
    return options.listed?.(entry) ?? entry
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    { name, bytes: own }: (typeof files)[number],
  ): void {
    const bytes = options.served?.[name] ?? own
    const groups = options.noRanges === true ? undefined : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = Number(groups?.[1] ?? 0)
    const end = groups?.[2] ? Math.min(Number(groups[2]) + 1, bytes.length) : bytes.length
    if (groups && start >= bytes.length) return void response.writeHead(416).end()
    const range = groups ? { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` } : {}
    response.writeHead(groups ? 206 : 200, { 'content-length': end - start, ...range })
    if (options.silent?.includes(name) === true) return void response.flushHeaders()
    const drop = options.drops?.[name]
    if (drop !== undefined && drop.times > 0 && end - start > drop.afterBytes) {
      drop.times--
      response.write(bytes.subarray(start, start + drop.afterBytes), () => setTimeout(() => response.destroy(), 10))
    } else if (options.bytesPerSecond !== undefined)
      trickle(response, bytes.subarray(start, end), options.bytesPerSecond)
    else response.end(bytes.subarray(start, end))
  }

  return { url: hub.url, requests, close: async () => void (await Promise.all([hub.close(), cdn.close()])) }
}

/** Ten pieces a second. */
function trickle(response: ServerResponse, bytes: Uint8Array, bytesPerSecond: number): void {
  const pieceBytes = Math.max(1, Math.round(bytesPerSecond / 10))
  let position = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(position, position + pieceBytes))
    position += pieceBytes
    if (position < bytes.length) return
    clearInterval(timer)
    response.end()
  }, 100)
  response.once('close', () => clearInterval(timer))
}
