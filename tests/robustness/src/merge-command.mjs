import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(import.meta.resolve('@mk/cli/package.json')).replace(
  /package\.json$/,
  'bin/mergekit-yaml.cjs',
)

/** The command line of a merge. @param {string} recipe @param {string} out @param {readonly string[]} [options] */
export const mergeCommand = (recipe, out, options = []) => [process.execPath, cli, ...options, '--', recipe, out]

/** The command line of a plan, of a part of it or of its end. @param {string} plan @param {string} out @param {readonly string[]} options */
export const planCommand = (plan, out, options) => [process.execPath, cli, '--plan', plan, ...options, '--', out]

/** The longest error that a person still reads. */
const maxErrorCharacters = 4000

/**
 * What is wrong with how a command ended, apart from what it wrote: wanted is status 0, or 1 or 2 with one clear error.
 * @param {import('./run-command.mjs').Ended} ended
 * @returns {string | undefined}
 */
export function faultOfEnd({ status, signal, stderr, timedOut }) {
  if (timedOut) return 'it did not end in time'
  if (signal !== null) return `it died of ${signal}`
  if (status === 0) return /^error: /m.test(stderr) ? 'status 0, but an error was printed' : undefined
  if (status !== 1 && status !== 2) return `status ${status}`
  if (/^ {4}at /m.test(stderr) || stderr.includes('not foreseen')) return 'a stack trace'
  const errors = stderr.match(/^error: .*/gm) ?? []
  if (errors.length !== 1) return errors.length === 0 ? 'no error was printed' : `${errors.length} errors were printed`
  if (stderr.length > maxErrorCharacters) return 'an error longer than a screen'
  return undefined
}

/** The error as one line for a report. @param {{ stderr: string }} ended */
export function errorLine({ stderr }) {
  const lines = stderr.trim().split('\n')
  return (lines.find((line) => line.startsWith('error: ')) ?? lines.at(-1) ?? '').slice(0, 200)
}

/** Whether there is a folder at OUT that a person would take for a whole model. @param {string} out */
export const looksFinished = (out) => existsSync(`${out}/config.json`)
