import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadedModules } from '../../../apps/cli/src/__fixtures__/loaded-modules.ts'
import { withFolder } from '../../../apps/cli/src/__fixtures__/run-bin.ts'
import { listPublished, root } from '../../../scripts/workspace.mjs'

const apps = listPublished().filter(({ directory }) => directory.startsWith('apps/'))

describe.each(apps)('the commands of $directory', ({ directory, manifest }) => {
  const names = Object.keys(manifest.bin as object)

  test.each(names)('%s starts by what chooses between its bundle and its modules', (name) => {
    expect(readFileSync(join(root, directory, 'bin', `${name}.cjs`), 'utf8')).toMatch(
      /^#!\/usr\/bin\/env node\nrequire\('.*start(\.cjs)?'\)\.start\(__filename\)\n$/,
    )
    expect(statSync(join(root, directory, 'src/bins', `${name}.ts`)).isFile()).toBe(true)
  })
})

describe('the bundle of mergekit-yaml', () => {
  const folder = join(root, 'apps/cli/dist/bundle')
  const bin = pathToFileURL(join(root, 'apps/cli/bin/mergekit-yaml.cjs'))
  const recipe = join(root, 'examples/recipes/linear.yml')
  const sizeOf = (pattern: RegExp) =>
    statSync(
      join(
        folder,
        readdirSync(folder).find((name) => pattern.test(name))!,
      ),
    ).size
  const load = async (...args: readonly string[]) =>
    (await loadedModules(bin, args))
      .filter((url) => !url.startsWith('node:'))
      .map((url) => url.replace(/^.*\/apps\/cli\//, ''))

  beforeAll(() => void execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), 'apps/cli']), 120_000)

  test('is a few files, whatever a merge needs, and nothing beside it is loaded', () =>
    withFolder(async (out) => {
      const loaded = await load(recipe, join(out, 'out'), '--quiet', '--threads', '1')
      expect(loaded.filter((path) => !/^(bin|dist\/bundle)\//.test(path))).toEqual([])
      expect(loaded.length).toBeLessThanOrEqual(14)
      expect((await load('--help')).length).toBeLessThanOrEqual(7)
    }))

  test('needs nothing of Node that takes long to load and is not used: neither its loader of modules nor processes', () =>
    withFolder(async (folder) => {
      const list = join(folder, 'list.cjs')
      const nothing = join(folder, 'nothing.cjs')
      writeFileSync(list, `process.on('exit', () => console.error('loaded ' + process.moduleLoadList.join()))`)
      writeFileSync(nothing, '')
      const loadedBy = (...args: readonly string[]) => {
        const { stderr } = spawnSync(process.execPath, ['--require', list, ...args], { encoding: 'utf8' })
        return /^loaded (.*)$/m
          .exec(stderr)![1]!
          .split(',')
          .map((name) => name.replace('NativeModule ', ''))
      }
      const always = new Set(loadedBy(nothing))
      const merging = loadedBy(fileURLToPath(bin), recipe, join(folder, 'out'), '--quiet', '--threads', '1')
      const added = merging.filter((name) => !always.has(name))
      expect(added).toContain('internal/fs/promises')
      expect(added.filter((name) => /^(child_process|module|internal\/modules\/esm\/.*)$/.test(name))).toEqual([])
    }))

  test('has none of the languages of zod, nor its larger half', () => {
    const merge = readFileSync(
      join(
        folder,
        readdirSync(folder).find((name) => name.startsWith('merge-'))!,
      ),
      'utf8',
    )
    expect(merge).toContain('ZodMini')
    expect(merge).not.toContain('locales/')
    expect(merge).not.toMatch(/"ZodString"|Ungültige Eingabe|Entrée invalide/)
  })

  test('is no larger than it has to be', () => {
    expect(sizeOf(/^command-/)).toBeLessThan(125_000)
    expect(sizeOf(/^merge-/)).toBeLessThan(1_400_000)
    // A third of it are the methods, of which a thread has no use before it is given small tensors.
    expect(sizeOf(/^worker-[\w-]+\.cjs$/)).toBeLessThan(495_000)
  })

  test('tells where in the code something was noticed by the names of functions', () => {
    const { stderr } = spawnSync(process.execPath, [fileURLToPath(bin), '-v', 'nothing.yml', '--dry-run'], {
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/at readRecipe \(.*[/\\]dist[/\\]bundle[/\\]command-[\w-]+\.cjs:\d+:\d+\)/)
  })
})
