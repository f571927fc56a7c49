import type { MergeConfig } from '@mk/config'
import { expect, test } from 'vitest'
import type { MergeInputs } from './merge-inputs.ts'
import { noteMissingTokenizer } from './note-missing-tokenizer.ts'

const notesOf = (has: readonly boolean[], chatTemplate?: string, folder: string | undefined = 'f') =>
  noteMissingTokenizer(
    { chatTemplate } as MergeConfig,
    {
      labels: has.map((_, index) => `m${index}`),
      checkpoints: has.map((isThere) => ({
        folder,
        files: [{ role: 'other' }, ...(isThere ? [{ role: 'vocabulary' }] : [])],
      })),
      donor: 0,
    } as unknown as MergeInputs,
  )
const takes = (model: string) => `; 'tokenizer: {source: "${model}"}' in the recipe takes that of ${model}`

test('the first model that has a tokenizer is named where the donor has none', () => {
  expect(notesOf([false, true, true])).toEqual([`m0 has no tokenizer, so the output has none${takes('m1')}`])
  expect(notesOf([false, false, true], 'auto')).toEqual([
    `m0 has no tokenizer, so the output has none, and nothing that reads its chat template${takes('m2')}`,
  ])
})

test('where none has one, only a chat template is lost', () => {
  expect(notesOf([false, false])).toEqual([])
  expect(notesOf([false, false], 'auto')).toEqual([
    'm0 has no tokenizer, so the output has none, and nothing that reads its chat template',
  ])
})

test('nothing is said where the donor has one, or is no folder', () => {
  expect(notesOf([true, false])).toEqual([])
  const labels = ['m0', 'm1']
  const checkpoints = [{ files: [] }, { folder: 'f', files: [{ role: 'vocabulary' }] }]
  expect(noteMissingTokenizer({} as MergeConfig, { labels, checkpoints, donor: 0 } as unknown as MergeInputs)).toEqual(
    [],
  )
})
