import { expect, test } from 'vitest'
import { getDependencyReleaseLine, getReleaseLine } from '../../../scripts/release/changelog.mjs'

test('a change stands in the changelog as its changeset says it, in one item', async () => {
  expect(await getReleaseLine({ summary: 'One thing.\n\nMore of it.\n' })).toBe('- One thing.\n\n  More of it.')
})

test('new versions of dependencies are no changes', async () => {
  expect(await getDependencyReleaseLine()).toBe('')
})
