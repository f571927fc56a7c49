import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

/** @typedef {{ status?: number, headers?: Record<string, string>, body?: string }} Answer */

const gitHash = (bytes) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** What an honest hub says of one model. @param {string} id @param {Readonly<Record<string, Buffer>>} files */
export function honestAnswers(id, files) {
  const list = Object.entries(files).map(([path, bytes]) => ({
    type: 'file',
    path,
    size: bytes.length,
    oid: gitHash(bytes),
    ...(path.endsWith('.safetensors') && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
  }))
  return { revision: { _id: '1', id, private: false, downloads: 0, gated: false, likes: 0, sha: 'c'.repeat(40) }, list }
}

/**
 * Starts a hub on this machine that answers as it is told, and a second host that it can send its callers to.
 * @param {string} id of the one model
 */
export async function startHub(id) {
  /** @type {{ revision: string, list: string, answers: Record<string, Answer>, files: Readonly<Record<string, Buffer>> }} */
  let script = { revision: '{}', list: '[]', answers: {}, files: {} }
  const seen = { hubRequests: 0, strangerAuthorizations: [] }
  const stranger = await listen((request, response) => {
    if (request.headers.authorization !== undefined) seen.strangerAuthorizations.push(request.url)
    response.writeHead(200).end('{}')
  })
  const hub = await listen((request, response) => {
    seen.hubRequests++
    const path = decodeURIComponent(new URL(request.url, 'http://hub').pathname)
    const kind = path.includes('/revision/') ? 'revision' : path.includes('/tree/') ? 'list' : 'file'
    const { status, headers = {}, body } = script.answers[kind] ?? {}
    const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, here(value)]))
    try {
      if (kind === 'file')
        sendFile({ request, response, bytes: script.files[path.split('/').at(-1)], status, headers: named, body })
      else
        response
          .writeHead(status ?? 200, { 'content-type': 'application/json', ...named })
          .end(body ?? here(script[kind]))
    } catch {
      // What no header may hold is not sent.
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  })
  const here = (text) => text.replaceAll('HUB', hub.url).replaceAll('STRANGER', stranger.url)
  return {
    id,
    url: hub.url,
    /** @param {typeof script} next */
    play(next) {
      script = next
      seen.hubRequests = 0
      seen.strangerAuthorizations = []
    },
    seen,
    close: () =>
      Promise.all(
        [hub, stranger].map(({ server }) => new Promise((resolve) => server.close(resolve).closeAllConnections())),
      ),
  }
}

function sendFile({ request, response, bytes, status, headers, body }) {
  if (bytes === undefined && body === undefined) return response.writeHead(404).end()
  const content = body === undefined ? bytes : Buffer.from(body)
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (range === null || status !== undefined) return response.writeHead(status ?? 200, headers).end(content)
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? content.length - 1 : Number(range[2]), content.length - 1)
  const part = { 'content-range': `bytes ${start}-${end}/${content.length}`, ...headers }
  response.writeHead(206, part).end(content.subarray(start, end + 1))
}

async function listen(answer) {
  const server = createServer(answer)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${server.address().port}` }
}
