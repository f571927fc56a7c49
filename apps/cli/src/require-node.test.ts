import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const command = fileURLToPath(new URL('../bin/mergekit-yaml.cjs', import.meta.url))

/** Starts the command where Node says that it has another version. */
function startOn(version: string) {
  const disguise = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  const preload = `data:text/javascript,${encodeURIComponent(disguise)}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, command, '--version'], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

it.each(['18.20.8', '20.18.3', '16.0.0'])('Node %s is too old, which is said in one line', (version) => {
  expect(startOn(version)).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(`^error: this is Node ${version}, and 20\\.19 or later is needed; .+\\n$`),
    ),
  })
})

it.each(['20.19.0', '22.0.0', '26.1.0'])('Node %s is not', (version) => {
  expect(startOn(version)).toMatchObject({ status: 0, stderr: '' })
})
