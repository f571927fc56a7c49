import { expect, test } from 'vitest'
import { identifyProcess, isSameProcess } from './process-identity.ts'

const own = identifyProcess()
/** Above what systems count to. */
const nobody = 2 ** 22 + 1
const { started, ...withoutStart } = own

test('this process runs, and one of another session had its number before', () => {
  expect(isSameProcess(own)).toBe('running')
  expect(isSameProcess({ ...own, session: 'another' })).toBe('gone')
})

test('a number that no process has is of one that is gone, also where nothing tells when it was started', () => {
  expect(isSameProcess({ ...own, pid: nobody })).toBe('gone')
  expect(isSameProcess({ ...withoutStart, pid: nobody })).toBe('gone')
  for (const pid of [0, -1, 0.5, Number.NaN]) expect(isSameProcess({ ...withoutStart, pid })).toBe('gone')
})

test('another process with that number is the same one as far as its start tells', () => {
  expect(isSameProcess({ ...withoutStart, pid: process.ppid })).toBe('unknown')
  expect(isSameProcess({ ...own, pid: process.ppid, started: 'never' })).toBe('gone')
})

test('what can’t be seen from here is not known', () => {
  for (const pid of [process.pid, process.ppid, nobody])
    expect(isSameProcess({ ...own, pid, where: 'elsewhere' })).toBe('unknown')
})

test.runIf(process.platform === 'linux')(
  'the start of a process is known, and one namespace sees the same numbers',
  () => {
    expect(started).toMatch(/^\d+$/)
    expect(own.where).toMatch(/pid:\[\d+\]$/)
  },
)
