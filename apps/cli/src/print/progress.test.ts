import { describe, expect, it } from 'vitest'
import { createProgress } from './progress.ts'

function fakeStream({ isTTY, columns }: { isTTY: boolean; columns?: number }) {
  const written: string[] = []
  return {
    written,
    stream: { isTTY, ...(columns !== undefined && { columns }), write: (text: string) => written.push(text) },
  }
}

/** A merge of 100 MB at 10 MB a second, told ten times a second. */
function progressOn(stream: Parameters<typeof createProgress>[0], seconds: number) {
  let now = 0
  const progress = createProgress(stream, 'merging', () => now)
  for (let i = 0; i <= seconds * 10; i++) {
    now = i * 100
    progress.update(i * 1e6, 100e6, `${i} of 100 tensors`)
  }
  return progress
}

describe('progress', () => {
  it('is a bar with bytes per second and time left on a terminal', () => {
    const { written, stream } = fakeStream({ isTTY: true, columns: 120 })
    const progress = progressOn(stream, 5)
    expect(written).toHaveLength(50)
    expect(written.at(-1)).toBe(
      `\r\u001b[Kmerging ${'█'.repeat(12)}${'░'.repeat(12)} 50.0 MB of 100 MB, 10.0 MB/s, 5.0 s left`,
    )
    progress.end()
    expect(written.at(-1)).toBe('\r\u001b[K')
  })

  it('fits the terminal', () => {
    const { written, stream } = fakeStream({ isTTY: true, columns: 40 })
    progressOn(stream, 1)
    for (const text of written) expect(text.replace('\r\u001b[K', '').length).toBeLessThan(40)
  })

  it('is a plain line now and then elsewhere', () => {
    const { written, stream } = fakeStream({ isTTY: false })
    progressOn(stream, 10).end()
    expect(written).toEqual([
      'merging 50 % 50.0 MB of 100 MB, 10.0 MB/s, 5.0 s left (50 of 100 tensors)\n',
      'merging 100 % 100 MB of 100 MB, 10.0 MB/s, 0.0 s left (100 of 100 tensors)\n',
    ])
  })

  it('says nothing of a merge that is over at once', () => {
    for (const isTTY of [true, false]) {
      const { written, stream } = fakeStream({ isTTY })
      progressOn(stream, 0).end()
      expect(written).toEqual([])
    }
  })

  it('counts no bytes of an earlier run as speed', () => {
    const { written, stream } = fakeStream({ isTTY: false })
    let now = 0
    const progress = createProgress(stream, 'merging', () => now)
    progress.update(80e6, 100e6, '80 of 100 tensors')
    now = 5000
    progress.update(90e6, 100e6, '90 of 100 tensors')
    expect(written).toEqual(['merging 90 % 90.0 MB of 100 MB, 2.00 MB/s, 5.0 s left (90 of 100 tensors)\n'])
  })

  it('stands still at nothing', () => {
    const { written, stream } = fakeStream({ isTTY: false })
    let now = 0
    const progress = createProgress(stream, 'merging', () => now)
    now = 5000
    progress.update(0, 0, '0 of 0 tensors')
    expect(written).toEqual(['merging 0 % 0 bytes of 0 bytes, 0 bytes/s (0 of 0 tensors)\n'])
  })
})
