import { expect, it } from 'vitest'
import { CheckpointError } from './index.ts'

it('counts as failures only what another try may mend', () => {
  const failures = Object.entries(CheckpointError.rules).filter(([, { fault }]) => fault === 'failure')
  expect(failures.map(([code]) => code).toSorted()).toEqual([
    'hub-answer',
    'hub-cache-failed',
    'hub-corrupt',
    'hub-disk',
    'hub-length',
    'hub-rate-limited',
    'hub-status',
    'hub-storage',
    'hub-unreachable',
    'model-unreachable',
    'unreadable-model',
  ])
})

it('shows names from files cut and without control characters', () => {
  const tensor = `\u001b[2J${'x'.repeat(1000)}`
  const { message } = new CheckpointError({ code: 'tensor-twice', tensor, file: 'a', other: 'b' })
  expect(message).toMatch(/^tensor '\\u001b\[2Jx+… \(1004 characters\)' is in both b and a; /)
})
