import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { goldens, runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mk-fill.cjs', import.meta.url)
const [ft1, ft2] = ['models/llama-ft1', 'models/llama-ft2']

describe('mk-fill', () => {
  it('writes the larger model, and says what it did', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stderr, stdout } = await runBin(bin, [ft1, ft2, out, '--threads', '1'])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stderr).toContain('39 tensors of models/llama-ft2 take their places in models/llama-ft1')
      expect(stdout).toContain('39 tensors')
      expect(readdirSync(out)).toEqual([...new Set([...readdirSync(join(goldens, ft1)), 'README.md'])].toSorted())
      const again = await runBin(bin, [ft1, ft2, out, '--threads', '1', '--overwrite', '--quiet', '--json'])
      expect(JSON.parse(again.stdout)).toMatchObject({ tensorCount: 39 })
    }))

  it('takes folders with signs of references in their names', () =>
    withFolder(async (folder) => {
      for (const model of ['llama-ft1', 'llama-ft2'])
        cpSync(join(goldens, 'models', model), join(folder, `${model}+a@b`), { recursive: true })
      const { status, stderr } = await runBin(bin, ['llama-ft1+a@b', 'llama-ft2+a@b', '--dry-run'], { cwd: folder })
      expect({ status, stderr }).toMatchObject({ status: 0 })
    }))

  it('prints the plan with --dry-run', async () => {
    const { status, stdout } = await runBin(bin, [ft1, ft2, '--dry-run', '--json'])
    expect(status).toBe(0)
    expect((JSON.parse(stdout) as { tensors: unknown[] }).tensors).toHaveLength(39)
  })

  it.each<[string, readonly string[], string]>([
    ['sizes that differ', [ft1, 'models/llama-wide'], 'other sizes'],
    ['a model without a place in the other', [ft1, 'models/gpt2-base'], 'has a place'],
    ['a model that is not there', [ft1, './nothing'], 'nothing'],
    ['no part', [ft1], "missing argument 'part'"],
  ])('refuses %s, and writes nothing', (_, models, message) =>
    withFolder(async (folder) => {
      const out = models.length === 1 ? [] : [join(folder, 'out')]
      const { status, stdout, stderr } = await runBin(bin, [...models, ...out, '--threads', '1'])
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(readdirSync(folder)).toEqual([])
    }),
  )
})
