import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { buildShim, shimEnvironment } from './build-shim.mjs'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mk-shim-')))
const { library } = buildShim(folder) as { library?: string }
afterAll(() => rmSync(folder, { recursive: true }))

const program = join(folder, 'program.mjs')
writeFileSync(
  program,
  `import * as fs from 'node:fs'
const file = process.argv[2]
try {
  const fd = fs.openSync(file, 'w+')
  const written = fs.writeSync(fd, '0123456789')
  fs.fdatasyncSync(fd)
  const read = fs.readSync(fd, Buffer.alloc(20), 0, 20, 0)
  fs.renameSync(file, file + '.done')
  console.log(written, read)
} catch (error) { console.log(error.code, error.syscall) }`,
)

describe.skipIf(library === undefined)('the shim (it needs Linux and a C compiler)', () => {
  const file = join(folder, 'place', 'file')
  const run = (fault: string, more = {}) => {
    rmSync(join(folder, 'place'), { recursive: true, force: true })
    execFileSync('mkdir', [join(folder, 'place')])
    const env = { ...process.env, ...shimEnvironment({ library: library!, path: '/place/', fault, ...more }) }
    return spawnSync(process.execPath, [program, file], { encoding: 'utf8', env })
  }

  test.each([
    ['', '10 10'],
    ['write:1:ENOSPC', 'ENOSPC write'],
    // Node goes on with the rest by itself.
    ['write:1:short', '10 10'],
    ['write:1:none', '0 0'],
    ['write:2:EIO', '10 10'],
    ['read:1:EIO', 'EIO read'],
    ['read:1:short', '10 10'],
    ['read:*:none', '10 0'],
    ['create:1:EMFILE', 'EMFILE open'],
    ['sync:1:EIO', 'EIO fdatasync'],
    ['rename:1:EACCES', 'EACCES rename'],
    ['change:3+:EROFS', 'EROFS fdatasync'],
  ])('%s → %s', (fault, said) => {
    expect(run(fault).stdout.trim()).toBe(said)
  })

  test('kills before the operation', () => {
    expect(run('rename:1:kill').signal).toBe('SIGKILL')
    expect(existsSync(file)).toBe(true)
  })

  test('lists what it counts', () => {
    const log = join(folder, 'log')
    run('', { log })
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
      `create ${file}`,
      `write ${file}`,
      `sync ${file}`,
      `read ${file}`,
      `rename ${file}.done`,
    ])
  })
})
