import { spawn } from 'node:child_process'

/**
 * @typedef {object} Ended how a program ended
 * @property {number | null} status
 * @property {string | null} signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} timedOut it was killed after `timeoutMs`
 */

/** The most that is kept of what a program prints. */
const maxOutputCharacters = 2_000_000

/**
 * Starts a program.
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string | undefined>, cwd?: string, timeoutMs?: number, uid?: number, gid?: number }} [options]
 * `env` is added to the own environment
 */
export function startCommand(command, { env, cwd, timeoutMs = 120_000, uid, gid } = {}) {
  const [file, ...parameters] = command
  const child = spawn(file, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid }),
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      if (output[name].length < maxOutputCharacters) output[name] += text
    })
  }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    child.kill('SIGKILL')
  }, timeoutMs)
  /** @type {Promise<Ended>} */
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status, signal, ...output, timedOut })
    })
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  return { pid: child.pid, ended, isRunning, kill: (signal) => child.kill(signal) }
}

/** Runs a program to its end. @param {Parameters<typeof startCommand>} args */
export const runCommand = (...args) => startCommand(...args).ended
