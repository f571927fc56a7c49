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
    'push-failed',
    'unreadable-model',
  ])
})

it('shows names from files cut and without control characters', () => {
  const tensor = `\u001b[2J${'x'.repeat(1000)}`
  const { message } = new CheckpointError({ code: 'tensor-twice', tensor, file: 'a', other: 'b' })
  expect(message).toMatch(/^tensor '\\u001b\[2Jx+… \(1004 characters\)' is in both b and a; /)
})

it('lists eight of what it looked for or found, and says where there is more', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`)
  const messageOf = (found: readonly string[]) =>
    new CheckpointError({ code: 'no-weights', folder: 'm', found }).message
  expect(messageOf(names(8))).toMatch(/found n0, n1, n2, n3, n4, n5, n6, n7$/)
  expect(messageOf(names(9))).toMatch(/found n0, n1, n2, n3, n4, n5, n6, n7, …$/)
  expect(messageOf([])).toMatch(/found nothing$/)
  const ofHub = (found: readonly string[], purpose: 'model' | 'adapter' = 'model') =>
    new CheckpointError({ code: 'hub-no-weights', id: 'org/m', purpose, found }).message
  expect(ofHub(names(8))).toMatch(/expected safetensors, .* or a GGUF .*, found n0, n1, n2, n3, n4, n5, n6, n7$/)
  expect(ofHub(names(9))).toMatch(/n7, …$/)
  expect(ofHub([], 'adapter')).toMatch(/expected adapter_config\.json and .*, found no files$/)
})

it('lists twelve of several GGUFs', () => {
  const messageOf = (count: number) =>
    new CheckpointError({
      code: 'gguf-several',
      model: 'm',
      files: Array.from({ length: count }, (_, index) => `f${index}.gguf`),
    }).message
  expect(messageOf(12)).toMatch(/^m has 12 models in GGUF; .*: m\/f0\.gguf, .*, m\/f11\.gguf$/)
  expect(messageOf(13)).toMatch(/, m\/f11\.gguf, …$/)
})
