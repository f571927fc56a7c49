import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen } from '../../hub/__fixtures__/listen.ts'

export interface PushServerOptions {
  /** Whose requests are answered. */
  readonly token: string
  /** Repositories that are there. */
  readonly repositories?: readonly string[]
  /** Large files come in parts of so many bytes; absent: whole. */
  readonly partBytes?: number
  /** Answers instead, where it gives a status. */
  readonly answer?: (
    request: SeenUpload,
  ) => { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> } | undefined
}

interface SeenUpload {
  readonly host: 'hub' | 'storage'
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
}

export interface PushServer {
  readonly url: string
  readonly requests: SeenUpload[]
  /** The files of each repository after its commits. */
  readonly repositories: ReadonlyMap<string, { readonly isPrivate: boolean; readonly files: Map<string, Buffer> }>
  /** Titles of the commits. */
  readonly commits: string[]
  close(): Promise<void>
}

interface CommitLine {
  readonly key: 'header' | 'file' | 'lfsFile'
  readonly value: {
    readonly summary?: string
    readonly path?: string
    readonly content?: string
    readonly oid?: string
  }
}

/**
 * A hub on 127.0.0.1 that takes uploads as the real one does (https://huggingface.co/docs/hub/api, Git LFS batch API): large files go to a
 * second server by their hashes, then one commit names all.
 */
export async function startPushServer(options: PushServerOptions): Promise<PushServer> {
  const requests: SeenUpload[] = []
  const commits: string[] = []
  const repositories = new Map(
    (options.repositories ?? []).map((id) => [id, { isPrivate: false, files: new Map<string, Buffer>() }]),
  )
  const blobs = new Map<string, Buffer>()
  const parts = new Map<string, Buffer[]>()
  const see = (host: SeenUpload['host'], request: IncomingMessage, response: ServerResponse): boolean => {
    const seen = {
      host,
      method: request.method!,
      path: request.url!,
      authorization: request.headers.authorization,
    }
    requests.push(seen)
    const answer = options.answer?.(seen)
    if (answer === undefined) return false
    request.resume()
    request.once('end', () =>
      response
        .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
        .end(answer.body ?? '{}'),
    )
    return true
  }
  const storage = await listen(async (request, response) => {
    if (see('storage', request, response)) return
    const [, kind, oid = '', part = ''] = request.url!.split('/')
    const body = await bodyOf(request)
    if (kind === 'blob') blobs.set(oid, body)
    if (kind === 'part') {
      const known = parts.get(oid) ?? []
      known[Number(part)] = body
      parts.set(oid, known)
    }
    response.writeHead(200, { etag: `"${part}"` }).end()
  })
  const hub = await listen(async (request, response) => {
    if (see('hub', request, response)) return
    const json = (status: number, value: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const path = request.url!.split('?')[0]!
    const body = (await bodyOf(request)).toString()
    if (request.headers.authorization !== `Bearer ${options.token}`)
      return json(401, { error: `you sent ${request.headers.authorization}` })
    if (path === '/api/repos/create') {
      const { name, organization, visibility } = JSON.parse(body) as Record<string, string>
      const id = `${organization}/${name}`
      if (repositories.has(id)) return json(409, { error: 'You already created this model repo' })
      repositories.set(id, { isPrivate: visibility === 'private', files: new Map() })
      return json(200, { url: `${hub.url}/${id}`, id: '1' })
    }
    const id = /^\/(?:api\/models\/)?([\w.-]+\/[\w.-]+?)(?:\.git)?(?:\/|$)/.exec(path)?.[1] ?? ''
    const repository = repositories.get(id)
    if (repository === undefined) return json(404, { error: 'Repository not found' })
    if (path.includes('/preupload/')) {
      const { files } = JSON.parse(body) as { files: { path: string }[] }
      const isLarge = (name: string) => /\.(safetensors|gguf|bin)$/.test(name)
      return json(200, {
        files: files.map(({ path: name }) => ({ path: name, uploadMode: isLarge(name) ? 'lfs' : 'regular' })),
      })
    }
    if (path.endsWith('/info/lfs/objects/batch')) {
      const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] }
      return json(200, { transfer: 'basic', objects: objects.map(({ oid, size }) => offer(oid, size)) })
    }
    if (path.startsWith(`/${id}/complete/`)) {
      const oid = path.split('/').at(-1)!
      blobs.set(oid, Buffer.concat(parts.get(oid) ?? []))
      return json(200, {})
    }
    if (path.includes('/commit/')) {
      const lines = body.split('\n').map((line) => JSON.parse(line) as CommitLine)
      for (const { key, value } of lines) {
        if (key === 'header') commits.push(value.summary!)
        if (key === 'file') repository.files.set(value.path!, Buffer.from(value.content!, 'base64'))
        if (key !== 'lfsFile') continue
        const blob = blobs.get(value.oid!)
        if (blob === undefined) return json(400, { error: `no upload of ${value.path}` })
        repository.files.set(value.path!, blob)
      }
      const oid = createHash('sha1').update(body).digest('hex')
      const pull = request.url!.includes('create_pr=1') ? { pullRequestUrl: `${hub.url}/${id}/discussions/1` } : {}
      return json(200, {
        success: true,
        commitOid: oid,
        commitUrl: `${hub.url}/${id}/commit/${oid}`,
        hookOutput: '',
        ...pull,
      })
    }
    return json(200, { id })
  })
  function offer(oid: string, size: number) {
    if (blobs.has(oid)) return { oid, size }
    const { partBytes } = options
    if (partBytes === undefined) return { oid, size, actions: { upload: { href: `${storage.url}/blob/${oid}` } } }
    const count = Math.ceil(size / partBytes)
    const addresses = Array.from({ length: count }, (_, index) => [
      String(index + 1).padStart(5, '0'),
      `${storage.url}/part/${oid}/${index}`,
    ])
    const header = { chunk_size: String(partBytes), ...(Object.fromEntries(addresses) as Record<string, string>) }
    const id = [...repositories.keys()][0]
    return { oid, size, actions: { upload: { href: `${hub.url}/${id}/complete/${oid}`, header } } }
  }
  return {
    url: hub.url,
    requests,
    repositories,
    commits,
    close: async () => void (await Promise.all([hub.close(), storage.close()])),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
