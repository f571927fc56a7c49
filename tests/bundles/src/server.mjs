// The server that is bundled: it merges by the recipe that it is sent. It says on which port it listens.
import { createServer } from 'node:http'
import { merge } from '@mk/merge'
import { createWorker } from './create-worker.mjs'

const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  const { recipe, ...options } = JSON.parse(body)
  try {
    response.end(JSON.stringify(await merge(recipe, { ...options, createWorker })))
  } catch (error) {
    response.statusCode = 500
    response.end(error.stack)
  }
})
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
