import { describe, expect, it } from 'vitest'
import { runBin } from '../../cli/src/__fixtures__/run-bin.ts'
import { formatOne, formatQueue } from './commands/format-status.ts'
import { connectionError, parseAddress } from './jobs/connection.ts'
import { mergeId, planJobs } from './jobs/merge-jobs.ts'
import type { MergeStatus, PartStatus } from './jobs/read-status.ts'

const bin = new URL('../bin/mk-queue.cjs', import.meta.url)
const data = { merge: 'merge-1', plan: '/p.json', out: '/out', parts: 2, overwrite: false, strict: false }
const part = (given: Partial<PartStatus>): PartStatus => ({
  state: 'waiting',
  failures: 0,
  takeovers: 0,
  doneBytes: 0,
  totalBytes: 100,
  ...given,
})

describe('the jobs of a merge', () => {
  it('are its parts and what finishes it, which fails with any of them', () => {
    const flow = planJobs('q', data, { partBytes: [10, 20], retry: { attempts: 3, backoffMs: 5 } })
    expect(flow).toMatchObject({ name: 'finish', opts: { jobId: 'merge-1', attempts: 3 } })
    expect(flow.children).toMatchObject([
      { name: 'part', data: { part: 1, totalBytes: 10 }, opts: { jobId: 'merge-1-1', failParentOnFailure: true } },
      { name: 'part', data: { part: 2, totalBytes: 20 }, opts: { jobId: 'merge-1-2', failParentOnFailure: true } },
    ])
  })

  it('are called by plan and output alone', () => {
    expect(mergeId('a', '/out')).toBe(mergeId('a', '/out'))
    expect(new Set([mergeId('a', '/out'), mergeId('b', '/out'), mergeId('a', '/other')]).size).toBe(3)
  })
})

describe('a status', () => {
  const merge: MergeStatus = {
    id: 'merge-1',
    state: 'running',
    plan: '/p.json',
    out: '/out',
    parts: [
      part({ part: 1, state: 'running', worker: 'north', doneBytes: 40 }),
      part({ part: 2, state: 'retrying', failures: 1, problem: 'the disk is full', takeovers: 1 }),
    ],
    end: part({ totalBytes: 0 }),
    doneBytes: 40,
    totalBytes: 200,
    isRefused: false,
    warnings: [],
    submitted: '2026-11-26T00:00:00.000Z',
  }

  it('shows what each worker does, also those that do nothing', () => {
    const text = formatOne({ queue: 'q', merges: [merge], workers: ['north', 'south'] }, undefined)
    expect(text.split('\n')).toEqual([
      'merge-1: running, 20 % of 200 bytes, to /out',
      '2 parts: 1 running, 1 retrying; 1 takeover',
      'part 2 failed once: the disk is full',
      '',
      'worker  part  done         of  merge',
      'north      1  40 %  100 bytes  merge-1',
      'south      –',
      '',
    ])
  })

  it('tells of the values of an output that are not finite, the first of many', () => {
    const warnings = ['a', 'b', 'c', 'd', 'e'].map((name) => `NaN or infinite values: ${name}: 1 in the result`)
    const shown = (some: readonly string[]) =>
      formatQueue({ queue: 'q', merges: [{ ...merge, state: 'done', warnings: some }], workers: [] }, undefined)
    expect(shown(warnings.slice(0, 1))).toContain('\nwarning: NaN or infinite values: a: 1 in the result\n')
    expect(shown(warnings)).toContain('c: 1 in the result\nand 2 warnings more (--json has all)\n')
    expect(shown(warnings)).not.toContain('d: 1')
  })

  it('says that there is nothing, or nobody', () => {
    expect(formatQueue({ queue: 'q', merges: [], workers: [] }, undefined)).toBe('queue q: no merges, 0 workers\n')
    const { parts: _, ...rest } = merge
    expect(formatOne({ queue: 'q', merges: [{ ...rest, parts: [] }], workers: [] }, undefined)).toContain('no workers')
  })
})

describe('an address', () => {
  it.each(['', 'nowhere', 'http://redis:6379', 'redis://'])('%j is refused', (address) => {
    expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: 'queue-address', fault: 'usage' }))
  })

  it('is shown without its password, also where it is refused', () => {
    expect(parseAddress('rediss://me:secret@redis:6380/2').shown).toBe('rediss://redis:6380/2')
    expect(() => parseAddress('http://me:secret@redis')).toThrow(expect.not.objectContaining({ message: /secret/ }))
  })

  it('of a Redis that wants a password is for the user to mend, one that is gone may come back', () => {
    const refused = connectionError(new Error('NOAUTH Authentication required.'), 'redis://a')
    expect(refused).toMatchObject({ code: 'queue-refused', fault: 'usage' })
    const gone = connectionError(new Error('Connection is closed.'), 'redis://a')
    expect(gone).toMatchObject({ code: 'queue-unreachable', fault: 'failure' })
    const other = new TypeError('x')
    expect(connectionError(other, 'redis://a')).toBe(other)
  })
})

describe('mk-queue', () => {
  it('ends with 1 where no Redis answers, and with 2 where the address is none', async () => {
    const gone = await runBin(bin, ['status', '--redis', 'redis://127.0.0.1:1'])
    expect(gone).toMatchObject({ status: 1, stdout: '' })
    expect(gone.stderr).toContain('error: no Redis answers at redis://127.0.0.1:1')
    const wrong = await runBin(bin, ['status', '--redis', 'http://127.0.0.1'])
    expect(wrong).toMatchObject({ status: 2, stdout: '' })
  })

  it.each([
    ['no plan', ['submit'], 'missing argument'],
    ['a plan that is not there', ['submit', './nothing.json', 'out'], 'there is no plan'],
    ['no number of parts', ['submit', 'plan.json', 'out', '--parts', 'x'], 'Expected a whole number'],
    ['a mapping of one path', ['work', '--map-path', '/a'], 'Expected two paths'],
    ['no id to wait for', ['status', '--wait'], 'missing argument'],
  ])('refuses %s', async (_, args, message) => {
    const { status, stderr } = await runBin(bin, args)
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) })
  })
})
