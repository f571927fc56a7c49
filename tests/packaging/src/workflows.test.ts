import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validateWorkflow } from '@action-validator/core'
import { describe, expect, test } from 'vitest'
import { root } from '../../../scripts/workspace.mjs'

const folder = join(root, '.github/workflows')

describe.each(readdirSync(folder))('the workflow %s', (name) => {
  const text = readFileSync(join(folder, name), 'utf8')

  test('is one by the schema of GitHub', () => {
    expect(validateWorkflow(text).errors).toEqual([])
  })

  test('uses actions by their commits, not by tags, which can be moved', () => {
    const used = [...text.matchAll(/uses: (\S+)(.*)/g)]
    expect(used.length).toBeGreaterThan(0)
    for (const [, action, version] of used)
      expect([action, version]).toEqual([expect.stringMatching(/@[0-9a-f]{40}$/), expect.stringMatching(/^ # v\d/)])
  })

  test('runs scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script]) => script!)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })

  test('gives no job more rights than it says', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
  })
})
