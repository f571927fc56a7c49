import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { expect, it } from 'vitest'
import { withFolder } from './__fixtures__/run-bin.ts'
import { addMergeFlags } from './commands/merge-flags.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

it('the example of the README runs', { timeout: 60_000 }, () =>
  withFolder(async (folder) => {
    symlinkSync(examples, join(folder, 'examples'))
    mkdirSync(join(folder, 'bin'))
    symlinkSync(
      fileURLToPath(new URL('../bin/mergekit-yaml.cjs', import.meta.url)),
      join(folder, 'bin', 'mergekit-yaml'),
    )
    writeFileSync(join(folder, 'recipe.yml'), /```yaml\n([\s\S]*?)```/.exec(readme)![1]!)
    const script = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)][1]![1]!
    const stdout = execFileSync('sh', ['-ec', script], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
    })
    expect(stdout).toMatch(/nothing was written\n\.\/merged: /)
    expect(readdirSync(join(folder, 'merged'))).toEqual(
      expect.arrayContaining([
        'README.md',
        'config.json',
        'mergekit_config.yml',
        'model.safetensors',
        'tokenizer.json',
      ]),
    )
  }),
)

it('the README names every option that the help names', () => {
  const shown = addMergeFlags(new Command('test'))
    .options.filter(({ hidden }) => !hidden)
    .map(({ long }) => long!)
  expect(shown.filter((option) => !readme.includes(`\`${option}`))).toEqual([])
})
