import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { addMergeFlags } from '../apps/cli/src/commands/merge-flags.ts'

const ofCommand = createRequire(new URL('../apps/cli/package.json', import.meta.url))
const { Command } = ofCommand('commander') as { Command: new (name: string) => Parameters<typeof addMergeFlags>[0] }
const page = readFileSync(new URL('migration-from-mergekit.md', import.meta.url), 'utf8')

test("the page names every flag of mergekit's that is accepted without a use", () => {
  const accepted = addMergeFlags(new Command('test'))
    .options.filter(({ hidden, long }) => hidden && !long!.startsWith('--no-'))
    .map(({ long }) => long!)
  expect(accepted.length).toBeGreaterThan(10)
  expect(accepted.filter((flag) => !page.includes(`\`${flag}\``))).toEqual([])
})
