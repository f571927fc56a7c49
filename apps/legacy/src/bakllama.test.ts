import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '@mk/config'
import { describe, expect, it } from 'vitest'
import { differences, loadModel } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'
import { filesOf } from './__fixtures__/folders.ts'

const bin = new URL('../bin/bakllama.cjs', import.meta.url)
const yamlBin = new URL('../../cli/bin/mergekit-yaml.cjs', import.meta.url)
const cases = readdirSync(join(goldens, 'cases')).filter((name) => name.startsWith('bakllama-'))

const stack = `
layer_slices:
  - {model: models/llama-ft1, start: 0, end: 2}
  - {model: models/llama-ft2, start: 1, end: 4, scale: 0.5}
`
async function run(folder: string, text: string, args: readonly string[] = []) {
  const [config, out] = [join(folder, 'old.yml'), join(folder, 'out')]
  writeFileSync(config, text)
  return { ...(await runBin(bin, [config, out, '--threads', '1', ...args])), out }
}

describe('bakllama', () => {
  it.each(cases)(
    'makes what mergekit made: %s, and the same bytes by the recipe it prints',
    { timeout: 60_000 },
    (name) =>
      withFolder(async (folder) => {
        const [out, recipe, again] = ['out', 'recipe.yml', 'again'].map((entry) => join(folder, entry)) as [
          string,
          string,
          string,
        ]
        const { status, stdout, stderr } = await runBin(bin, [
          join('cases', name, 'config.yml'),
          out,
          '--print-yaml',
          '--threads',
          '1',
        ])
        expect({ status, stderr }).toMatchObject({ status: 0 })
        expect(await differences(out, join(goldens, 'cases', name, 'expected'))).toEqual([])

        writeFileSync(recipe, stdout)
        expect((await runBin(yamlBin, [recipe, again, '--threads', '2'])).status).toBe(0)
        expect(filesOf(again)).toEqual(filesOf(out))
      }),
  )

  it('takes embedding, norm and head from the models named for them', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      const { status, stderr, out } = await run(
        folder,
        `${stack}embedding_source: models/llama-base\nlm_head_source: models/llama-ft1`,
      )
      expect({ status, stderr }).toMatchObject({ status: 0 })
      const [merged, base, ft1, plain] = await Promise.all(
        [
          out,
          join(goldens, 'models', 'llama-base'),
          join(goldens, 'models', 'llama-ft1'),
          join(goldens, 'cases', 'bakllama-scale', 'expected'),
        ].map(loadModel),
      )
      expect([...merged!.keys()].toSorted()).toEqual([...plain!.keys()].toSorted())
      expect(merged!.get('model.embed_tokens.weight')).toEqual(base!.get('model.embed_tokens.weight'))
      for (const name of ['model.norm.weight', 'lm_head.weight']) expect(merged!.get(name)).toEqual(ft1!.get(name))
      for (const name of [...plain!.keys()].filter((key) => key.includes('.layers.')))
        expect(merged!.get(name)).toEqual(plain!.get(name))
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ num_hidden_layers: 5 })
    }),
  )

  it('unties models whose head is to come from another', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      const { status, stderr, out } = await run(
        folder,
        'layer_slices:\n  - {model: models/qwen-base, start: 0, end: 3}\nlm_head_source: models/qwen-ft1',
      )
      expect({ status, stderr }).toMatchObject({ status: 0 })
      const [merged, base, ft1] = await Promise.all(
        [out, join(goldens, 'models', 'qwen-base'), join(goldens, 'models', 'qwen-ft1')].map(loadModel),
      )
      expect(merged!.get('model.embed_tokens.weight')).toEqual(base!.get('model.embed_tokens.weight'))
      expect(merged!.get('lm_head.weight')).toEqual(ft1!.get('model.embed_tokens.weight'))
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ tie_word_embeddings: false })
    }),
  )

  it('writes float16 with --fp16, and says that --clone-tensors is needless', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      const { status, stderr, out } = await run(folder, stack, ['--fp16', '--clone-tensors'])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stderr).toContain('note: --clone-tensors has no effect: no tensor is shared between outputs')
      expect(new Set([...(await loadModel(out)).values()].map(({ dtype }) => dtype))).toEqual(new Set(['F16']))
    }),
  )

  it('ignores unknown keys with --lenient, with a warning for each', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'old.yml'), `${stack}seed: 1\n`)
      const args = [join(folder, 'old.yml'), '--print-yaml']
      const refused = await runBin(bin, args)
      expect(refused).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--lenient ignores') })
      const { status, stdout, stderr } = await runBin(bin, [...args, '--lenient'])
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr: expect.stringMatching(/^warning: .*old\.yml:5:1: ignored: unknown key 'seed'.*\n$/),
      })
      expect(parseConfig(stdout).config.modules[0]!.slices).toHaveLength(2)
    }))

  it('only prints without an output folder', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'old.yml'), stack)
      const { status, stdout, stderr } = await runBin(bin, [join(folder, 'old.yml'), '--print-yaml', '--fp16'])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(parseConfig(stdout).config).toMatchObject({ mergeMethod: [{ method: 'passthrough' }], dtype: 'float16' })
      expect(readdirSync(folder)).toEqual(['old.yml'])
    }))

  it('finds models beside the file', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'recipes'))
      symlinkSync(join(goldens, 'models', 'llama-ft1'), join(folder, 'recipes', 'mine'))
      writeFileSync(join(folder, 'recipes', 'old.yml'), 'layer_slices: [{model: mine, start: 0, end: 2}]')
      const { status, stdout, stderr } = await runBin(bin, ['recipes/old.yml', '--dry-run', '--quiet'], { cwd: folder })
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stdout).toContain('nothing was written')
    }))

  it.each<[string, string, string]>([
    [
      'a start at the end',
      'layer_slices: [{model: a, start: 2, end: 2}]',
      'old.yml:1:42: layer_slices[0] goes from 2 to 2, expected an end after the start',
    ],
    [
      'layers past the end',
      'layer_slices: [{model: models/llama-ft1, start: 2, end: 9}]',
      'layer_range [2, 9] goes past the end: models/llama-ft1 has 4 layers',
    ],
    ['a missing model', 'layer_slices: [{model: ./models/none, start: 0, end: 1}]', './models/none'],
    [
      'a model that is none',
      'layer_slices: [{model: "a@", start: 0, end: 1}]\nembedding_source: b',
      `'a@' is no model reference`,
    ],
    ['no YAML', 'layer_slices: [', 'old.yml:1:16: not valid YAML'],
    ['a recipe for mergekit-yaml', 'merge_method: linear', `this is a recipe for the command 'mergekit-yaml'`],
  ])('refuses %s with exit status 2 and writes nothing', (_, text, message) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr } = await run(folder, text)
      expect({ status, stdout, stderr }).toMatchObject({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(readdirSync(folder)).toEqual(['old.yml'])
    }),
  )

  it('refuses a missing file and missing operands with exit status 2', () =>
    withFolder(async (folder) => {
      const missing = await runBin(bin, [join(folder, 'none.yml'), join(folder, 'out')])
      expect(missing.status).toBe(2)
      expect(missing.stderr).toContain(`none.yml: there is no such file`)
      expect((await runBin(bin, [])).stderr).toContain(`missing argument 'config'`)
      const withoutOut = await runBin(bin, ['cases/bakllama-stack/config.yml'])
      expect(withoutOut).toMatchObject({ status: 2, stderr: expect.stringContaining(`missing argument 'out'`) })
      expect(readdirSync(folder)).toEqual([])
    }))
})
