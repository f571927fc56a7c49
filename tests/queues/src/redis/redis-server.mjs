import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { until } from '../checks.mjs'
import { freePorts } from '../free-ports.mjs'

/**
 * Starts Debian's Redis in a folder, with the persistence that docs/queues.md asks for.
 * @param {string} folder
 */
export async function startRedis(folder) {
  mkdirSync(folder)
  const [port] = await freePorts(1)
  const options = ['--bind', '127.0.0.1', '--port', port, '--dir', folder, '--logfile', 'redis.log']
  const persistence = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction']
  let server
  const start = async () => {
    server = spawn('redis-server', [...options, ...persistence].map(String), { stdio: 'ignore' })
    await until(() => isAnswering(port), { what: 'Redis does not answer' })
  }
  const end = async (signal) => {
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    /** Kills it, and starts it again on what it has on the disk. @param {number} awayMs */
    async restart(awayMs) {
      await end('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, awayMs))
      await start()
    },
    close: () => end('SIGTERM'),
  }
}

/** Not while it is loading what is on the disk. */
const isAnswering = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (answer) => {
      socket.destroy()
      resolve(String(answer).startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
