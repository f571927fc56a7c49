import { expect, test } from 'vitest'
import { createHubClient } from './hub-client.ts'
import { readHubSettings } from './hub-settings.ts'

test('a list of files that goes on without end is given up', async () => {
  const options = {
    environment: { HF_HOME: '/nowhere', HF_ENDPOINT: 'http://127.0.0.1:9' },
    fetch: async (url: unknown) => {
      requests++
      return new Response('[]', {
        headers: { 'content-type': 'application/json', link: `<${String(url)}&cursor=${requests}>; rel="next"` },
      })
    },
  } as const
  let requests = 0
  const client = createHubClient('org/model', await readHubSettings(options), options as never)
  await expect(client.listFiles('0'.repeat(40))).rejects.toMatchObject({
    code: 'hub-answer',
    message: expect.stringContaining('more than 200 pages'),
  })
  expect(requests).toBe(200)
})
