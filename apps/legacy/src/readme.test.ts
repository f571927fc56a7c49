import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { differences } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'
import { loadedModules } from '../../cli/src/__fixtures__/loaded-modules.ts'
import { filesOf } from './__fixtures__/folders.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const bins = {
  'mergekit-legacy': '../bin/mergekit-legacy.cjs',
  bakllama: '../bin/bakllama.cjs',
  'mergekit-yaml': '../../cli/bin/mergekit-yaml.cjs',
}

it('the examples of the README run', { timeout: 60_000 }, () =>
  withFolder(async (folder) => {
    symlinkSync(goldens, join(folder, 'goldens'))
    mkdirSync(join(folder, 'bin'))
    for (const [name, bin] of Object.entries(bins))
      symlinkSync(fileURLToPath(new URL(bin, import.meta.url)), join(folder, 'bin', name))
    const run = (script: string) =>
      execFileSync('sh', ['-ec', script], {
        cwd: folder,
        stdio: 'pipe',
        env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
      })

    run([...readme.matchAll(/```sh\n([\s\S]*?)```/g)][1]![1]!)
    expect(await differences(join(folder, 'merged-legacy'), join(goldens, 'cases', 'legacy-ties', 'expected'))).toEqual(
      [],
    )
    expect(filesOf(join(folder, 'merged-again'))).toEqual(filesOf(join(folder, 'merged-legacy')))

    writeFileSync(join(folder, 'old.yml'), /```yaml\n([\s\S]*?)```/.exec(readme)![1]!)
    run('bakllama old.yml ./stack')
    expect(JSON.parse(readFileSync(join(folder, 'stack', 'config.json'), 'utf8'))).toMatchObject({
      num_hidden_layers: 6,
    })
  }),
)

it.each(['mergekit-legacy', 'bakllama'] as const)(
  '%s --help loads nothing but the parser of arguments',
  async (name) => {
    const modules = await loadedModules(new URL(bins[name], import.meta.url), ['--help'])
    expect(modules.filter((url) => !/^node:|\/apps\/(cli|legacy)\/|\/commander\//.test(url))).toEqual([])
    expect(modules.length).toBeGreaterThan(3)
  },
)
