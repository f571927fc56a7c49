import { describe, expect, it } from 'vitest'
import { createProgress, type PhaseState, type ProgressClock } from './progress.ts'
import { textWidth } from './wrap-text.ts'

/** A stream that keeps what is written, and a clock that goes when it is told to. */
function setUp({ isTTY, columns }: { isTTY: boolean; columns?: number }) {
  const written: string[] = []
  const timers = new Set<{ readonly milliseconds: number; readonly callback: () => void; due: number }>()
  let now = 0
  const clock: ProgressClock = {
    now: () => now,
    every(milliseconds, callback) {
      const timer = { milliseconds, callback, due: now + milliseconds }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const stream = { isTTY, ...(columns !== undefined && { columns }), write: (text: string) => written.push(text) }
  const pass = (milliseconds: number) => {
    for (const end = now + milliseconds; now < end;) {
      now = Math.min(end, now + 100)
      for (const timer of timers) {
        if (now < timer.due) continue
        timer.due += timer.milliseconds
        timer.callback()
      }
    }
  }
  return { written, progress: createProgress(stream, clock), pass, timers }
}

type SetUp = ReturnType<typeof setUp>

/** A merge of 100 MB at 10 MB a second, told ten times a second. */
function merge({ progress, pass }: SetUp, seconds: number, state: Partial<PhaseState> = {}) {
  const phase = progress.phase('merging')
  for (let i = 0; i <= seconds * 10; i++) {
    phase.update({ doneBytes: i * 1e6, totalBytes: 100e6, count: `${i} of 100 tensors`, ...state })
    if (i < seconds * 10) pass(100)
  }
  return phase
}

const drawn = (text: string) => text.replace('\r\u001b[K', '')

describe('a bar', () => {
  it('takes what percent, rate and time left leave of the line', () => {
    const context = setUp({ isTTY: true, columns: 100 })
    merge(context, 5)
    const line = drawn(context.written.at(-1)!)
    expect(line).toMatch(/^merging 49 of 100 tensors █+░+ +49 %  10\.0 MB\/s  5\.1 s left  49\.0 MB of 100 MB$/)
    expect(line.length).toBe(99)
  })

  it.each([40, 60, 80, 160])('fits %i columns with percent, rate and time whole', (columns) => {
    const context = setUp({ isTTY: true, columns })
    merge(context, 5, { totalBytes: 700e9, names: 'org/a-model-with-a-very-long-name, org/another-model, org/third' })
    for (const text of context.written) expect(textWidth(drawn(text))).toBeLessThan(columns)
    expect(drawn(context.written.at(-1)!)).toMatch(/0 % +10\.0 MB\/s +19 h 26 min left/)
  })

  it('goes away at the end', () => {
    const context = setUp({ isTTY: true, columns: 80 })
    merge(context, 2).end()
    expect(context.written.at(-1)).toBe('\r\u001b[K')
    const { length } = context.written
    context.pass(1000)
    expect(context.written.length).toBe(length)
  })

  it('makes room for lines that stay', () => {
    const context = setUp({ isTTY: true, columns: 80 })
    merge(context, 2)
    context.progress.print('note: x\n')
    expect(context.written.slice(-2)).toEqual(['\r\u001b[K', 'note: x\n'])
  })

  it('shows what is waited for where nothing arrives', () => {
    const context = setUp({ isTTY: true, columns: 120 })
    merge(context, 2)
    context.progress.activity('waiting for the hub')
    context.pass(1500)
    expect(drawn(context.written.at(-1)!)).toContain('waiting for the hub')
  })
})

describe('rates', () => {
  it('belong to their own phase', () => {
    const context = setUp({ isTTY: false })
    merge(context, 10).end()
    const slow = context.progress.phase('writing')
    for (let i = 0; i <= 60; i++) {
      slow.update({ doneBytes: i * 1e5, totalBytes: 10e6 })
      context.pass(100)
    }
    expect(context.written.at(-1)).toMatch(/^writing \d+ % of 10\.0 MB, 1\.00 MB\/s, [4-9]\.\d s left\n$/)
  })

  it('count no bytes of an earlier run as speed', () => {
    const context = setUp({ isTTY: false })
    const phase = context.progress.phase('merging')
    phase.update({ doneBytes: 80e6, totalBytes: 100e6 })
    context.pass(900)
    phase.update({ doneBytes: 81.8e6, totalBytes: 100e6 })
    context.pass(100)
    expect(context.written).toEqual(['merging 81 % of 100 MB, 2.00 MB/s\n'])
  })

  it('follow a change, without jumping', () => {
    const context = setUp({ isTTY: true, columns: 160 })
    const phase = merge(context, 10, { totalBytes: 1e9 })
    const rates: number[] = []
    for (let i = 0; i < 100; i++) {
      context.pass(100)
      phase.update({ doneBytes: 100e6 + i * 1e5, totalBytes: 1e9 })
      rates.push(Number(/([\d.]+) MB\/s/.exec(context.written.at(-1)!)?.[1]))
    }
    expect(rates[5]).toBeGreaterThan(7)
    expect(rates.at(-1)).toBeLessThan(3.5)
    expect(rates.at(-1)).toBeGreaterThan(1)
  })
})

describe('elsewhere than on a terminal', () => {
  it('is a line after a second and then every five', () => {
    const context = setUp({ isTTY: false })
    merge(context, 8)
    expect(context.written).toEqual([
      'merging 9 % of 100 MB, 10.0 MB/s (9 of 100 tensors)\n',
      'merging 59 % of 100 MB, 10.0 MB/s, 4.1 s left (59 of 100 tensors)\n',
    ])
  })

  it('stands still at nothing', () => {
    const context = setUp({ isTTY: false })
    context.progress.phase('merging').update({ doneBytes: 0, totalBytes: 0, count: '0 of 0 tensors' })
    context.pass(1000)
    expect(context.written).toEqual(['merging 0 % of 0 bytes (0 of 0 tensors)\n'])
  })
})

it.each([true, false])('says nothing of what is over at once (terminal: %s)', (isTTY) => {
  const context = setUp({ isTTY })
  merge(context, 0).end()
  context.progress.activity('opening the models')
  context.pass(200)
  context.progress.activity(undefined)
  context.pass(5000)
  expect(context.written).toEqual([])
})

it.each([true, false])('no second of waiting is silent (terminal: %s)', (isTTY) => {
  const context = setUp({ isTTY, columns: 80 })
  context.progress.activity('opening the models')
  context.pass(1000)
  expect(context.written.at(-1)).toContain('opening the models')
  context.progress.activity('asking the hub')
  context.pass(6000)
  expect(context.written.at(-1)).toMatch(/asking the hub \([67]\.0 s\)/)
})

it('leaves no timer behind', () => {
  const context = setUp({ isTTY: true })
  context.progress.end()
  expect(context.timers.size).toBe(0)
})
