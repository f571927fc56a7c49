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

it('cuts what servers and files say after three hundred characters', () => {
  const long = (count: number) => 'x'.repeat(count)
  const messages = (text: string) => [
    new CheckpointError({ code: 'push-refused', id: 'org/m', status: 400, message: text }).message,
    new CheckpointError({ code: 'push-failed', id: 'org/m', reason: text }).message,
    new CheckpointError({ code: 'hub-answer', id: 'org/m', problem: text }).message,
  ]
  for (const message of messages(long(300))) expect(message).toContain(long(300))
  for (const message of messages(long(301))) expect(message).not.toContain(long(301))
})

it('says what a document is where that helps, and else what was expected', () => {
  const messageOf = (reason: string) => new CheckpointError({ code: 'config-json', file: 'c', reason }).message
  expect(messageOf('is empty')).toBe('c is empty')
  expect(messageOf('that is ')).toBe('c: that is ; expected a JSON object')
})

it('tells sizes so that they can be compared', () => {
  const messageOf = (neededBytes: number, availableBytes: number) =>
    new CheckpointError({ code: 'hub-disk', folder: 'f', neededBytes, availableBytes }).message
  expect(messageOf(1e8, 99_900_000)).toContain('f has 0.0999 GB left, but 0.1 GB are')
  expect(messageOf(25.24e9, 1.5e9)).toContain('f has 1.5 GB left, but 25.2 GB are')
})
