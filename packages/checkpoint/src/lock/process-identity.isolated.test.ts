import type * as fs from 'node:fs'
import { hostname } from 'node:os'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { identifyProcess, isSameProcess } from './process-identity.ts'

/** What /proc has, by path. */
const proc = vi.hoisted((): Record<string, string> => ({}))
vi.mock('node:fs', async (importOriginal) => {
  const read = (path: string) => {
    const found = proc[path]
    if (found === undefined) throw new Error(`there is no ${path}`)
    return found
  }
  return { ...(await importOriginal<typeof fs>()), readFileSync: read, readlinkSync: read }
})

const own = { host: hostname(), pid: process.pid, session: expect.stringMatching(/^[\da-f-]{36}$/) }
const statOf = (pid: number, started: string) =>
  `${pid} (a name) with (brackets)) S ${Array.from({ length: 18 }, (_, index) => index + 4).join(' ')} ${started} 23 24`
const platform = (name: string) => vi.spyOn(process, 'platform', 'get').mockReturnValue(name as NodeJS.Platform)

beforeEach(() => {
  Object.assign(proc, {
    '/proc/self': String(process.pid),
    '/proc/self/ns/pid': 'pid:[4]',
    '/proc/sys/kernel/random/boot_id': 'boot\n',
    [`/proc/${process.pid}/stat`]: statOf(process.pid, '77'),
  })
  platform('linux')
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const path of Object.keys(proc)) delete proc[path]
})

describe('this process', () => {
  test('is told by machine, start of that, namespace, number and its own start', () => {
    expect(identifyProcess()).toEqual({ ...own, where: `${hostname()} boot pid:[4]`, started: '77' })
  })

  test('is seen by nobody where /proc is of another namespace, or isn’t there', () => {
    const { session } = identifyProcess()
    proc['/proc/self'] = '1'
    expect(identifyProcess()).toEqual({ ...own, where: session })
    delete proc['/proc/self']
    expect(identifyProcess()).toEqual({ ...own, where: session })
  })

  test('has no start where the system doesn’t tell', () => {
    delete proc[`/proc/${process.pid}/stat`]
    expect(identifyProcess()).toEqual({ ...own, where: `${hostname()} boot pid:[4]` })
  })

  test('is told by its machine elsewhere', () => {
    platform('darwin')
    expect(identifyProcess()).toEqual({ ...own, where: hostname() })
  })
})

describe('another process', () => {
  const other = () => ({ ...identifyProcess(), pid: 4321 })
  const kill = (code?: string) =>
    vi.spyOn(process, 'kill').mockImplementation(() => {
      if (code !== undefined) throw Object.assign(new Error(code), { code })
      return true
    })

  test('runs where its number is taken, also by one that may not be asked, and its start is the same', () => {
    proc['/proc/4321/stat'] = statOf(4321, '88')
    for (const code of [undefined, 'EPERM']) {
      kill(code)
      expect(isSameProcess({ ...other(), started: '88' })).toBe('running')
      expect(isSameProcess({ ...other(), started: '89' })).toBe('gone')
    }
    expect(process.kill).toHaveBeenCalledWith(4321, 0)
  })

  test('is gone where nobody has its number', () => {
    kill('ESRCH')
    expect(isSameProcess({ ...other(), started: '88' })).toBe('gone')
  })

  test('whose start nobody tells is not known', () => {
    kill()
    const { started: _, ...untold } = other()
    expect(isSameProcess(untold)).toBe('unknown')
    expect(isSameProcess({ ...other(), started: '88' })).toBe('gone')
  })

  test('of a number that systems don’t give is gone, and none is asked', () => {
    const asked = kill()
    for (const pid of [0, -1, 0.5, 2 ** 53]) expect(isSameProcess({ ...other(), pid })).toBe('gone')
    expect(asked).not.toHaveBeenCalled()
  })
})
