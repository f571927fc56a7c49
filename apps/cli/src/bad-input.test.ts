import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { changedModel, type SafetensorsFile } from './__fixtures__/changed-model.ts'
import { goldens, runBin, withFolder } from './__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)

/** Runs a recipe that must fail; checks that nothing is left of the output. */
async function expectFailure(
  folder: string,
  recipe: string,
  { status, parts }: { status: number; parts: readonly string[] },
): Promise<void> {
  const config = join(folder, 'recipe.yml')
  writeFileSync(config, recipe)
  const before = readdirSync(folder)
  const result = await runBin(bin, [config, join(folder, 'out'), '--threads', '1'])
  expect(result).toMatchObject({ status, stdout: '' })
  for (const part of parts) expect(result.stderr).toContain(part)
  expect(result.stderr).not.toContain('not foreseen')
  expect(readdirSync(folder)).toEqual(before)
}

const linear = (parts: { top?: string; second?: string; parameters?: string } = {}) => `
merge_method: linear
models:
  - model: models/llama-ft1
    parameters: {weight: 1}
  - model: ${parts.second ?? 'models/llama-ft2'}
    parameters: ${parts.parameters ?? '{weight: 1}'}
${parts.top ?? ''}`

const stack = (...ranges: readonly string[]) =>
  `merge_method: passthrough\nslices:\n${ranges.map((range) => `- sources: [{model: models/llama-ft1, layer_range: ${range}}]\n`).join('')}`

describe('what is wrong with a recipe ends with exit status 2 and no output', () => {
  it.each<[string, string, readonly string[]]>([
    ['not YAML', 'merge_method: [', ['recipe.yml:1:16: not valid YAML']],
    [
      'an unknown method',
      'merge_method: linaer\nmodels: [{model: models/llama-ft1}]',
      ['recipe.yml:1:15:', `there is no merge method 'linaer'`, `did you mean 'linear'?`],
    ],
    [
      'an unknown key',
      linear({ top: 'dtyp: float32' }),
      ['recipe.yml:8:1:', `unknown key 'dtyp'`, `did you mean 'dtype'?`],
    ],
    [
      'an unknown parameter',
      linear({ parameters: '{wieght: 1}' }),
      ['recipe.yml:7:', `'wieght'`, `did you mean 'weight'?`],
    ],
    ['a wrong type', linear({ top: 'dtype: 7' }), ['recipe.yml:8:8:', 'dtype is 7', 'expected one of', 'float32']],
    ['a dtype of another spelling', linear({ top: 'dtype: bf16' }), ['recipe.yml:8:8:', `did you mean 'bfloat16'?`]],
    [
      'a parameter of the wrong type',
      linear({ parameters: '{weight: heavy}' }),
      [
        'recipe.yml:7:26:',
        `the parameter 'weight' of model models/llama-ft2`,
        `is 'heavy', expected a number, metagpt or inverse_norm`,
      ],
    ],
    ['both models and slices', linear({ top: 'slices: []' }), [`'models' and 'slices'`, 'only one']],
    ['neither models nor slices', 'merge_method: linear', [`'models'`, `'slices'`]],
    ['a missing model', linear({ second: './models/none' }), ['./models/none', 'no such folder']],
    [
      'a missing base',
      linear().replace('linear', 'ties'),
      ['recipe.yml:', 'ties needs a base model; name one as base_model'],
    ],
    [
      'too many models',
      `${linear().replace('linear', 'slerp')}base_model: models/llama-base\nparameters: {t: 0.5}`,
      ['recipe.yml:', 'slerp takes exactly 1 model besides the base model, found 2'],
    ],
    ['layers past the end', stack('[2, 9]'), ['recipe.yml:3:', 'layer_range [2, 9]', 'models/llama-ft1 has 4 layers']],
    ['layers backwards', stack('[3, 2]'), ['recipe.yml:3:', 'layer_range is [3, 2]']],
    [
      'layers of different number',
      `${stack('[0, 2]').replace('passthrough', 'linear').replace('}]', ', parameters: {weight: 1}}, {model: models/llama-ft2, layer_range: [0, 3], parameters: {weight: 1}}]')}`,
      ['recipe.yml:3:', '2 of models/llama-ft1', '3 of models/llama-ft2'],
    ],
    [
      'a missing parameter',
      linear({ parameters: '{}' }),
      ['recipe.yml:6:', `linear needs the parameter 'weight'`, 'models/llama-ft2'],
    ],
    [
      'a parameter whose filters miss a tensor',
      linear({ parameters: '{weight: [{filter: mlp, value: 1}]}' }),
      [`linear needs the parameter 'weight'`, `no filter of 'weight' matches`],
    ],
    ['weights that sum to nothing', linear({ parameters: '{weight: -1}' }), ['sum']],
    [
      'models of other architectures',
      linear({ second: 'models/gpt2-ft1' }),
      ['models/llama-ft1 is', 'models/gpt2-ft1 is', '--allow-crimes'],
    ],
  ])('%s', (_, recipe, parts) => withFolder((folder) => expectFailure(folder, recipe, { status: 2, parts })))

  it('a file that is not there', () =>
    withFolder(async (folder) => {
      const { status, stderr } = await runBin(bin, [join(folder, 'none.yml'), join(folder, 'out')])
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: expect.stringContaining('none.yml: there is no such file'),
      })
      expect(readdirSync(folder)).toEqual([])
    }))

  it('a folder in place of the recipe', async () => {
    expect(await runBin(bin, ['models', 'out'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(`can't read the recipe models`),
    })
  })
})

const up = 'model.layers.0.mlp.up_proj.weight'
const norm = 'model.norm.weight'

describe('what is wrong with a model ends with exit status 2 and no output', () => {
  it.each<[string, (file: SafetensorsFile) => void, readonly string[]]>([
    ['a truncated file', (file) => (file.fileBytes = 30_000), ['model.safetensors', '30000']],
    ['an empty file', (file) => (file.fileBytes = 0), ['model.safetensors', '0 bytes']],
    ['a header longer than the file', (file) => (file.headerBytes = 99_000_000), ['model.safetensors', '99000000']],
    ['a header of absurd length', (file) => (file.headerBytes = 2 ** 50), ['model.safetensors', String(2 ** 50)]],
    ['a header that is not JSON', (file) => (file.headerBytes = 20), ['model.safetensors', 'JSON']],
    [
      'overlapping offsets',
      ({ header }) =>
        (header[norm]!.data_offsets = [header[up]!.data_offsets[0] + 8, header[up]!.data_offsets[0] + 104]),
      ['model.safetensors', up, norm, 'overlap'],
    ],
    [
      'offsets past the end',
      ({ header }) => (header[norm]!.data_offsets = [9_000_000, 9_000_096]),
      ['model.safetensors', norm, 'the file has only'],
    ],
    ['offsets that do not fit the shape', ({ header }) => (header[norm]!.shape = [23]), ['model.safetensors', norm]],
    ['an unknown dtype', ({ header }) => (header[norm]!.dtype = 'F12'), ['model.safetensors', norm, 'F12']],
    [
      'a missing tensor',
      ({ header }) => {
        header['model.layers.0.mlp.other.weight'] = header[up]!
        delete header[up]
      },
      [up],
    ],
    [
      'a mismatched shape',
      ({ header }) => header[up]!.shape.reverse(),
      [up, 'models/llama-ft1', 'broken', '[40, 24]', '[24, 40]'],
    ],
  ])('%s', (_, change, parts) =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), change)
      await expectFailure(folder, linear({ second: 'broken' }), { status: 2, parts: ['broken', ...parts] })
    }),
  )

  it('a folder without weights', () =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), () => {})
      rmSync(join(folder, 'broken', 'model.safetensors'))
      await expectFailure(folder, linear({ second: 'broken' }), { status: 2, parts: ['broken', 'no weights'] })
    }))

  it('a missing shard', () =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), () => {})
      rmSync(join(folder, 'broken', 'model.safetensors'))
      writeFileSync(
        join(folder, 'broken', 'model.safetensors.index.json'),
        JSON.stringify({ weight_map: { [up]: 'model-00001-of-00001.safetensors' } }),
      )
      await expectFailure(folder, linear({ second: 'broken' }), {
        status: 2,
        parts: ['model-00001-of-00001.safetensors'],
      })
    }))

  it('a config.json that is not JSON', () =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), () => {})
      writeFileSync(join(folder, 'broken', 'config.json'), '{')
      await expectFailure(folder, linear({ second: 'broken' }), { status: 2, parts: ['config.json'] })
    }))
})

describe('an output folder that cannot be written', () => {
  const recipe = join(goldens, 'cases', 'linear-weights', 'config.yml')

  it('has files: refused with exit status 2, and untouched', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'precious'), 'mine')
      const { status, stdout, stderr } = await runBin(bin, [recipe, folder])
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining('--overwrite'),
      })
      expect(readdirSync(folder)).toEqual(['precious'])
    }))

  it.each([
    ['below a file', (folder: string) => join(folder, 'file', 'out')],
    ['a file', (folder: string) => join(folder, 'file')],
    ['below what takes no folders', () => '/proc/mergekit-out'],
  ])('is %s: exit status 2', (_, place) =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), 'mine')
      mkdirSync(join(folder, 'empty'))
      const out = place(folder)
      const { status, stdout, stderr } = await runBin(bin, [recipe, out, '--threads', '1'])
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining(`can't write to ${out}`),
      })
      expect(readdirSync(folder)).toEqual(['empty', 'file'])
    }),
  )
})
