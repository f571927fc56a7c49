import { expect, it } from 'vitest'
import { describeDownloads, showComputing } from './download-models.ts'

const models = [
  { id: 'org/a', byteCount: 100, doneBytes: 100 },
  { id: 'org/b', byteCount: 200, doneBytes: 50 },
  { id: 'org/c', byteCount: 300, doneBytes: 0 },
]

it('counts all models as one, names those that are coming, and counts what an earlier run had brought as done', () => {
  expect(describeDownloads({ doneBytes: 150, totalBytes: 600, earlierBytes: 400, models })).toEqual({
    doneBytes: 550,
    totalBytes: 1000,
    count: '1 of 3 models done',
    names: 'org/b, org/c',
  })
})

it('does not count a single model', () => {
  expect(describeDownloads({ doneBytes: 50, totalBytes: 200, earlierBytes: 0, models: [models[1]!] })).toMatchObject({
    count: '',
    names: 'org/b',
  })
})

it('shows of what is computed one thing at a time, counted or not', () => {
  const shown: string[] = []
  const { update, end } = showComputing({
    progress: {
      activity: (text) => void shown.push(text ?? '-'),
      phase: (label) => ({
        update: ({ doneBytes }) => void shown.push(`${label}: ${doneBytes}`),
        end: () => void shown.push(`end of ${label}`),
      }),
    },
  })
  update({ label: 'reading' })
  update({ label: 'rows', bytes: { done: 0, total: 2 } })
  update({ label: 'rows', bytes: { done: 2, total: 2 } })
  update({ label: 'reading more' })
  end()
  expect(shown).toEqual(['reading', '-', 'rows: 0', 'rows: 2', 'end of rows', 'reading more', '-'])
})
