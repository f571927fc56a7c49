import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

/** A method that leaves a mark when its module is run, and a recipe that names it. */
function writeRecipe(folder: string, { module = './own.mjs', model = 'models/llama-ft1' } = {}) {
  const mark = join(folder, 'has-run')
  const method = `{ name: 'own', summary: 'The first.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, merge: ({ models }) => models[0] }`
  writeFileSync(
    join(folder, 'own.mjs'),
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(mark)}, '')\nexport default ${method}`,
  )
  const recipe = join(folder, 'recipe.yml')
  writeFileSync(recipe, `merge_method: ${module}\nmodels: [{model: ${model}}]\n`)
  return { recipe, out: join(folder, 'out'), own: join(folder, 'own.mjs'), hasRun: () => existsSync(mark) }
}

describe('a recipe that names a module as its method', { timeout: 60_000 }, () => {
  it.each<[string, (out: string) => string[]]>([
    ['a merge', (out) => [out]],
    ['--dry-run', () => ['--dry-run']],
    ['--explain-tokens', () => ['--explain-tokens']],
    ['--dry-run, even with --allow-code', () => ['--dry-run', '--allow-code']],
    ['--explain-tokens, even with --allow-code', () => ['--explain-tokens', '--allow-code']],
  ])('is refused without running it: %s', (_, args) =>
    withFolder(async (folder) => {
      const { recipe, out, hasRun } = writeRecipe(folder)
      const { status, stderr } = await runBin(bin, [recipe, ...args(out)])
      expect(status).toBe(2)
      expect(stderr).toContain(
        "recipe.yml:1:15: merge_method is the module './own.mjs'; a recipe runs no code unless that is allowed",
      )
      expect(stderr).toContain('--allow-code')
      expect(stderr).toContain('--method-module')
      expect(hasRun()).toBe(false)
      expect(existsSync(out)).toBe(false)
    }),
  )

  it.each(['absolute', 'url'])('is refused by its %s path, too', (kind) =>
    withFolder(async (folder) => {
      const own = join(folder, 'own.mjs')
      const { recipe, hasRun } = writeRecipe(folder, { module: kind === 'url' ? pathToFileURL(own).href : own })
      expect(await runBin(bin, [recipe, '--dry-run'])).toMatchObject({ status: 2 })
      expect(hasRun()).toBe(false)
    }),
  )

  it('runs it with --allow-code', () =>
    withFolder(async (folder) => {
      const { recipe, out, hasRun } = writeRecipe(folder)
      expect(await runBin(bin, [recipe, out, '--allow-code', '--threads', '1'])).toMatchObject({ status: 0 })
      expect(hasRun()).toBe(true)
    }))

  it('does not run it before its models are found', () =>
    withFolder(async (folder) => {
      const { recipe, out, hasRun } = writeRecipe(folder, { model: './nowhere' })
      expect(await runBin(bin, [recipe, out, '--allow-code'])).toMatchObject({ status: 2 })
      expect(hasRun()).toBe(false)
    }))

  it('may name what --method-module names, under --dry-run too', () =>
    withFolder(async (folder) => {
      const { recipe, own } = writeRecipe(folder)
      expect(await runBin(bin, [recipe, '--dry-run', '--method-module', own])).toMatchObject({ status: 0 })
    }))
})
