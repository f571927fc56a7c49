import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { startBin, withFolder } from '../__fixtures__/run-bin.ts'

const loader = new URL('../../../../scripts/load-bundle.cjs', import.meta.url)
const wrapped = (code: string) => `(function(exports,require,module,importMeta,importHere){${code}\n})\n`
const chunk = 'greet-AbCd_-12.cjs'

/** A bundle of a command, of what it requires, and of what that imports. */
function writeBundle(folder: string, { waitMs = 0 } = {}) {
  copyFileSync(loader, join(folder, 'load-bundle.cjs'))
  writeFileSync(join(folder, 'run.cjs'), `require('./load-bundle.cjs').loadChunk('tell.cjs')`)
  writeFileSync(join(folder, 'tell.cjs'), wrapped(`require('./${chunk}').greet(); setTimeout(() => {}, ${waitMs})`))
  const code = `exports.greet = async () => console.log((await importHere('./name.mjs')).name, importMeta.url.endsWith('/load-bundle.cjs'))`
  writeFileSync(join(folder, chunk), wrapped(code))
  writeFileSync(join(folder, 'name.mjs'), `export const name = 'you'`)
  const run = async (env: Readonly<Record<string, string>> = {}) =>
    (await startBin(pathToFileURL(join(folder, 'run.cjs')), [], { env })).stdout
  const listKept = () => readdirSync(folder).filter((name) => name.startsWith('compiled-'))
  return { run, listKept }
}

it('what one process compiled is kept for the next, and is not compiled again', () =>
  withFolder(async (folder) => {
    const { run, listKept } = writeBundle(folder)
    expect(await run()).toBe('you true\n')
    const [name] = listKept()
    expect(name).toBe(`compiled-${process.version}-${process.arch}`)
    expect(readdirSync(join(folder, name!))).toEqual([chunk])
    const { ino } = statSync(join(folder, name!, chunk))
    expect(await run()).toBe('you true\n')
    expect(statSync(join(folder, name!, chunk)).ino).toBe(ino)
  }))

it('what is kept and damaged is compiled anew, and kept instead', () =>
  withFolder(async (folder) => {
    const { run, listKept } = writeBundle(folder)
    await run()
    const path = join(folder, listKept()[0]!, chunk)
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, whole.length / 2))
    expect(await run()).toBe('you true\n')
    expect(readFileSync(path).length).toBeGreaterThan(whole.length / 2)
    expect(readdirSync(join(folder, listKept()[0]!))).toEqual([chunk])
  }))

it('engines with other flags keep what they compiled apart, and none keeps it where that is switched off', () =>
  withFolder(async (folder) => {
    const { run, listKept } = writeBundle(folder)
    expect(await run({ NODE_DISABLE_COMPILE_CACHE: '1' })).toBe('you true\n')
    expect(listKept()).toEqual([])
    await run()
    await run({ NODE_OPTIONS: '--stack-trace-limit=20' })
    expect(listKept()).toHaveLength(2)
  }))

it('a command runs where nothing can be kept', () =>
  withFolder(async (folder) => {
    const { run, listKept } = writeBundle(folder)
    // A file is in the way, for whoever may write everywhere.
    writeFileSync(join(folder, `compiled-${process.version}-${process.arch}`), '')
    expect(await run()).toBe('you true\n')
    expect(listKept()).toHaveLength(1)
  }))

it('what a process compiled serves the next one also if it ran so long that the engine optimizes later', () =>
  withFolder(async (folder) => {
    const { run, listKept } = writeBundle(folder, { waitMs: 400 })
    await run()
    const path = join(folder, listKept()[0]!, chunk)
    const { ino } = statSync(path)
    await run()
    expect(statSync(path).ino).toBe(ino)
  }))
