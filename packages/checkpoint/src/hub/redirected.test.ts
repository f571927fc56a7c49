import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createHubClient } from './hub-client.ts'
import { readHubSettings } from './hub-settings.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each([301, 302, 307, 308])(
  'a request that is redirected (%d) takes the token to no other host',
  async (status) => {
    const seen: (string | undefined)[] = []
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end(JSON.stringify({ sha: 'c'.repeat(40) }))
    })
    const hub = await serve((request, response) => {
      expect(request.headers.authorization).toBe('Bearer hf_token')
      response.writeHead(status, { location: `${other}${request.url}` }).end()
    })
    const options = { environment: { HF_HOME: '/nowhere', HF_ENDPOINT: hub, HF_TOKEN: 'hf_token' } }
    const client = createHubClient('org/model', await readHubSettings(options), options)
    await client.findCommit('main')
    await client.open('c'.repeat(40), 'config.json', 0, undefined)
    expect(seen).toEqual([undefined, undefined])
  },
)
