import { expect, test } from 'vitest'
import { formatChecksums, parseChecksums } from './card-checksums.ts'

const checksums = new Map([
  ['model-00001-of-00002.safetensors', '0'.repeat(63) + 'a'],
  ['with a space.safetensors', 'f'.repeat(64)],
])

test('finds the checksums that were written to a card', () => {
  const card = `---\ntags: []\n---\n\n# Merged\n\n${formatChecksums(checksums)}`
  expect(parseChecksums(card)).toEqual(checksums)
  expect(parseChecksums(card.replaceAll('\n', '\r\n'))).toEqual(checksums)
  expect(parseChecksums(`${card}\nA word of mine.\n\n\`\`\`text\nthat\n\`\`\`\n`)).toEqual(checksums)
})

test('finds none in a card without the section', () => {
  expect(parseChecksums('# Merged\n\nNothing.\n')).toBeUndefined()
  expect(parseChecksums('## Checksums\n')).toBeUndefined()
})

test('takes the last section, since a recipe may quote another one', () => {
  const older = formatChecksums(new Map([['model.safetensors', '1'.repeat(64)]]))
  expect(parseChecksums(`# Merged\n\n${older}\n${formatChecksums(checksums)}`)).toEqual(checksums)
})
