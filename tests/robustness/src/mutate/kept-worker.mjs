import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Lets a vitest run its tests in processes that stay from run to run, one for each project whose files share a process anyway:
 * starting one and importing everything takes longer than most tests do. Each run tells its process which modules have changed.
 * @param {import('vitest/node').Vitest} vitest
 */
export function keepWorkers(vitest) {
  /** @type {Map<string, import('node:child_process').ChildProcess>} by project */
  const kept = new Map()
  for (const project of vitest.projects) {
    project.config.maxWorkers = 1
    if (project.config.isolate) continue
    project.config.pool = 'kept'
    project.config.poolRunner = { name: 'kept', createPoolWorker: (options) => createKeptWorker(kept, options) }
  }
  return {
    /** Ends them all, without asking. */
    end() {
      for (const child of kept.values()) child.kill('SIGKILL')
      kept.clear()
    },
    /** The processor's seconds that they have taken, where the system tells. */
    spentSeconds: () => [...kept.values()].reduce((sum, { pid }) => sum + secondsOf(pid), 0),
  }
}

/** A worker of vitest's pool: what starts and stops is the connection, and the process goes on. */
function createKeptWorker(kept, { project, distPath, env, execArgv }) {
  const listeners = []
  let child
  let isNew = false
  let isStopping = false
  const forget = () => kept.get(project.name) === child && kept.delete(project.name)
  const answer = (type) => setImmediate(() => child.emit('message', { __vitest_worker_response__: true, type }))
  return {
    name: 'kept',
    cacheFs: true,
    async start() {
      child = kept.get(project.name)
      isNew = child === undefined
      if (!isNew) return
      child = fork(join(distPath, 'workers/forks.js'), { env, execArgv, stdio: 'ignore', serialization: 'advanced' })
      kept.set(project.name, child)
      child.once('exit', () => forget())
    },
    on(event, listener) {
      child.on(event, listener)
      listeners.push([event, listener])
    },
    off: (event, listener) => child.off(event, listener),
    send(message) {
      if (message.type === 'start' && !isNew) return answer('started')
      if (message.type === 'stop') {
        isStopping = true
        return answer('stopped')
      }
      if (child.connected) child.send(message)
    },
    async stop() {
      for (const [event, listener] of listeners) child.off(event, listener)
      // What is not asked to stop first has to.
      if (isStopping) return
      forget()
      child.kill('SIGKILL')
    },
    deserialize: (data) => data,
    canReuse: () => true,
  }
}

/** User's and system's seconds of a process; 0 where there is no /proc. */
function secondsOf(processId) {
  try {
    const fields = readFileSync(`/proc/${processId}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}
