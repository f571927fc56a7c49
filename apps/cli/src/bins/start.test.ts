import { copyFileSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { isCurrent, recordName, stateOf } from '../../bin/start.cjs'
import { startBin, withFolder } from '../__fixtures__/run-bin.ts'

const starter = fileURLToPath(new URL('../../bin/start.cjs', import.meta.url))
const loader = new URL('../../../../scripts/load-bundle.cjs', import.meta.url)

/** An app with one command, which prints where it was started from, built and bundled. */
function writeApp(folder: string) {
  for (const part of ['bin', 'dist/bins', 'dist/bundle']) mkdirSync(join(folder, part), { recursive: true })
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text)
  write('bin/tell.cjs', `require(${JSON.stringify(starter)}).start(__filename)`)
  write('dist/bins/tell.js', `console.log('bins')`)
  write('dist/bundle/tell.cjs', `(function () { console.log('bundle') })`)
  copyFileSync(loader, join(folder, 'dist/bundle/load-bundle.cjs'))
  write('dist/.tsbuildinfo', '{}')
  write('package.json', '{ "type": "module" }')
  const mark = join(folder, 'dist/.tsbuildinfo')
  write(`dist/bundle/${recordName}`, JSON.stringify([{ path: '../.tsbuildinfo', state: stateOf(statSync(mark)) }]))
  const run = () => startBin(pathToFileURL(join(folder, 'bin/tell.cjs')), [])
  const tell = async () => (await run()).stdout
  return {
    mark,
    run,
    tell,
    bundle: join(folder, 'dist/bundle'),
    isCurrent: () => isCurrent(join(folder, 'dist/bundle')),
  }
}

it('a bundle is what runs as long as nothing was built since', () =>
  withFolder(async (folder) => {
    const { mark, tell, isCurrent } = writeApp(folder)
    expect(await tell()).toBe('bundle\n')
    utimesSync(mark, 1, 1)
    expect(isCurrent()).toBe(false)
    expect(await tell()).toBe('bins\n')
  }))

it('a bundle is not what runs where a module that it was made of has another size, or is gone', () =>
  withFolder(async (folder) => {
    const { mark, isCurrent } = writeApp(folder)
    const { mtime } = statSync(mark)
    writeFileSync(mark, '{} ')
    utimesSync(mark, mtime, mtime)
    expect(isCurrent()).toBe(false)
    rmSync(mark)
    expect(isCurrent()).toBe(false)
  }))

it('a bundle that is published says nothing of what it was made of, and is what runs', () =>
  withFolder(async (folder) => {
    const { bundle, mark, isCurrent, tell } = writeApp(folder)
    rmSync(join(bundle, recordName))
    rmSync(mark)
    expect(isCurrent()).toBe(true)
    rmSync(bundle, { recursive: true })
    expect(isCurrent()).toBe(false)
    expect(await tell()).toBe('bins\n')
  }))

it('a command that waits for what never comes is no success', () =>
  withFolder(async (folder) => {
    const { bundle, run } = writeApp(folder)
    writeFileSync(join(bundle, 'tell.cjs'), `(function (exports) { exports.ended = new Promise(() => {}) })`)
    expect((await run()).status).toBe(13)
  }))
