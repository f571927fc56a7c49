import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { differences, loadModel } from '../__fixtures__/compare-goldens.ts'
import { goldens, runBin, startBin, withFolder } from '../__fixtures__/run-bin.ts'
import { loadedModules } from '../__fixtures__/loaded-modules.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)
const recipe = 'cases/linear-weights/config.yml'
const expected = join(goldens, 'cases', 'linear-weights', 'expected')
const merge = (...args: readonly string[]) => runBin(bin, args)

describe('mergekit-yaml', { timeout: 60_000 }, () => {
  it('writes a model folder, says so on stdout, and nothing else there', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stdout, stderr } = await startBin(bin, [recipe, out])
      expect({ status, stdout, stderr }).toEqual({
        status: 0,
        stdout: expect.stringMatching(/^\S+out: 39 tensors, [\d.]+ kB in 1 file, [\d.]+ s\n$/),
        stderr: '',
      })
      expect(await differences(out, expected)).toEqual([])
      expect(readdirSync(folder)).toEqual(['out'])
      expect(readdirSync(out).toSorted()).toEqual([
        'README.md',
        'config.json',
        'generation_config.json',
        'mergekit_config.yml',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
      ])
      expect(readFileSync(join(out, 'mergekit_config.yml'), 'utf8')).toBe(readFileSync(join(goldens, recipe), 'utf8'))
    }))

  it('writes no tokenizer and no model card if told not to', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      expect(await merge(recipe, out, '--no-copy-tokenizer', '--no-write-model-card')).toMatchObject({ status: 0 })
      expect(readdirSync(out).toSorted()).toEqual([
        'config.json',
        'generation_config.json',
        'mergekit_config.yml',
        'model.safetensors',
      ])
    }))

  it('writes shards of the size given, with an index', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      expect(await merge(recipe, out, '--out-shard-size', '40kB')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('in 3 files'),
      })
      const shards = readdirSync(out).filter((name) => name.endsWith('.safetensors'))
      expect(shards).toEqual([
        'model-00001-of-00003.safetensors',
        'model-00002-of-00003.safetensors',
        'model-00003-of-00003.safetensors',
      ])
      const { weight_map: places } = JSON.parse(readFileSync(join(out, 'model.safetensors.index.json'), 'utf8')) as {
        weight_map: Record<string, string>
      }
      expect([...new Set(Object.values(places))].toSorted()).toEqual(shards)
      expect(await differences(out, expected)).toEqual([])
    }))

  it('prints its result as JSON', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { stdout } = await merge(recipe, out, '--json')
      expect(JSON.parse(stdout)).toEqual({
        version: 1,
        models: ['ft1', 'ft2', 'ft3'].map((name) => ({ model: `models/llama-${name}` })),
        out,
        tensorCount: 39,
        writtenBytes: expect.any(Number),
        resumedTensors: 0,
        nonFinite: [],
        checksums: { 'model.safetensors': expect.stringMatching(/^[\da-f]{64}$/) },
        seconds: expect.any(Number),
      })
    }))

  it('writes the same bytes with any number of threads and on any device', () =>
    withFolder(async (folder) => {
      const config = join(folder, 'recipe.yml')
      const models = ['ft1', 'ft2']
        .map((name) => `- {model: models/llama-${name}, parameters: {weight: 1, density: 0.5}}`)
        .join('\n')
      writeFileSync(config, `merge_method: dare_ties\nbase_model: models/llama-base\nmodels:\n${models}`)
      const variants = [
        ['--threads', '1'],
        ['--threads', '3'],
        ['--num-threads', '2'],
        ['--device', 'reference'],
        ['--device', 'cpu'],
        ['--random-seed', '0'],
      ]
      const bytes = new Set<string>()
      for (const [index, variant] of variants.entries()) {
        const out = join(folder, String(index))
        expect(await merge(config, out, ...variant)).toMatchObject({ status: 0 })
        bytes.add(readFileSync(join(out, 'model.safetensors')).toString('base64'))
      }
      expect(bytes.size).toBe(1)

      expect(await merge(config, join(folder, 'seeded'), '--random-seed', '1')).toMatchObject({ status: 0 })
      expect(bytes).not.toContain(readFileSync(join(folder, 'seeded', 'model.safetensors')).toString('base64'))
    }))

  it('replaces a folder that has files with --overwrite only, and only those that merges write', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      mkdirSync(out)
      writeFileSync(join(out, 'old'), '')
      expect(await merge(recipe, out, '--overwrite')).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/no merge writes, and is not replaced: 'old'/),
      })
      expect(readdirSync(folder)).toEqual(['out'])
      renameSync(join(out, 'old'), join(out, 'vocab.json'))
      expect(await merge(recipe, out)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/has files in it .*\n--overwrite replaces/),
      })
      expect(readdirSync(out)).toEqual(['vocab.json'])
      expect(await merge(recipe, out, '--overwrite')).toMatchObject({ status: 0 })
      expect(existsSync(join(out, 'vocab.json'))).toBe(false)
      expect(readdirSync(folder)).toEqual(['out'])
    }))

  it('writes nowhere where the name of the folder is empty, or one stands in it', () =>
    withFolder(async (folder) => {
      for (const out of ['', '.', '..', folder]) {
        const ended = await runBin(bin, [join(goldens, recipe), out, '--overwrite'], { cwd: join(folder) })
        expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining('a folder of its own') })
      }
      expect(readdirSync(folder)).toEqual([])
    }))

  it('writes into an empty folder, and makes missing ones', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'empty'))
      for (const out of [join(folder, 'empty'), join(folder, 'a', 'b', 'c')]) {
        expect(await merge(recipe, out)).toMatchObject({ status: 0 })
        expect(await differences(out, expected)).toEqual([])
      }
    }))

  it('finds models in the current folder, then beside the recipe', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'recipes'))
      symlinkSync(join(goldens, 'models', 'llama-ft1'), join(folder, 'recipes', 'beside'))
      symlinkSync(join(goldens, 'models', 'llama-ft2'), join(folder, 'here'))
      writeFileSync(
        join(folder, 'recipes', 'mine.yml'),
        'merge_method: linear\nmodels: [{model: ./beside, parameters: {weight: 1}}, {model: here, parameters: {weight: 1}}]',
      )
      expect(await runBin(bin, ['recipes/mine.yml', 'out'], { cwd: folder })).toMatchObject({ status: 0, stderr: '' })
      expect((await loadModel(join(folder, 'out'))).size).toBe(39)
    }))

  it('names flags without effect in one line each, and unused parameters', () =>
    withFolder(async (folder) => {
      const config = join(folder, 'recipe.yml')
      writeFileSync(
        config,
        'merge_method: linear\nmodels: [{model: models/llama-ft1, parameters: {weight: 1, density: 0.5}}]',
      )
      const { status, stderr } = await merge(
        config,
        '--dry-run',
        '--lazy-unpickle',
        '--low-cpu-memory',
        '--read-to-gpu',
      )
      expect(status).toBe(0)
      expect(stderr.split('\n').filter((line) => line.startsWith('note: --'))).toHaveLength(3)
      expect(stderr).toMatch(/recipe\.yml:2:\d+: linear has no parameter 'density'; it is ignored/)
      expect(await merge(config, '--dry-run', '--quiet', '--lazy-unpickle')).toMatchObject({ status: 0, stderr: '' })
    }))

  it('merges to the end though nobody reads what it says', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const child = spawn(process.execPath, [fileURLToPath(bin), recipe, out, '--lazy-unpickle'], { cwd: goldens })
      child.stdout.destroy()
      child.stderr.destroy()
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
      expect(await differences(out, expected)).toEqual([])
    }))

  it('uses CUDA, or says why it cannot and writes nothing', () =>
    withFolder(async (folder) => {
      const { status, stderr } = await merge(recipe, join(folder, 'out'), '--cuda')
      expect(status === 0 || (status === 2 && stderr.includes('error: --device cuda: '))).toBe(true)
      expect(readdirSync(folder)).toEqual(status === 0 ? ['out'] : [])
    }))
})

describe('mergekit-yaml --dry-run', () => {
  it('prints tensors, bytes and what each parameter resolves to, and writes nothing', () =>
    withFolder(async (folder) => {
      const config = join(folder, 'recipe.yml')
      writeFileSync(
        config,
        `merge_method: slerp\nbase_model: models/llama-base\nmodels: [{model: models/llama-base}, {model: models/llama-ft1}]\nparameters: {t: [{filter: mlp, value: [0, 1]}, {value: 0.25}]}`,
      )
      const { status, stdout } = await merge(config, join(folder, 'out'), '--dry-run', '-v')
      expect(status).toBe(0)
      expect(stdout).toContain('method slerp')
      expect(stdout).toContain('input 1: models/llama-ft1')
      expect(stdout).toMatch(/^model\.embed_tokens\.weight {2}F32 \[64, 24\] {2}6\.14 kB .*\bt 0\.25$/m)
      expect(stdout).toMatch(/^model\.layers\.1\.mlp\.up_proj\.weight .*\bt 0\.333333$/m)
      expect(stdout).toMatch(/39 tensors, [\d.]+ kB; nothing was written\n$/)
      expect(readdirSync(folder)).toEqual(['recipe.yml'])
    }))

  it('prints the plan as JSON', async () => {
    const { stdout } = await merge(recipe, '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, method: 'linear', tensors: expect.any(Array) })
  })
})

describe('mergekit-yaml --explain-tokens', () => {
  it('prints a line for each token that needed a decision, and writes nothing', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stdout } = await merge('cases/tokenizer-union/config.yml', out, '--explain-tokens')
      expect(status).toBe(0)
      expect(stdout).toMatch(/^ *id {2}token +rule +in +why$/m)
      expect(stdout).toMatch(/tokens? needed a decision; nothing was written\n$/)
      const { stdout: json } = await merge('cases/tokenizer-union/config.yml', out, '--explain-tokens', '--json')
      const { version, tokens } = JSON.parse(json) as { version: number; tokens: unknown[] }
      expect(version).toBe(1)
      expect(tokens).toContainEqual({
        token: expect.any(String),
        id: expect.any(Number),
        models: expect.any(Array),
        rule: expect.any(String),
        why: expect.any(String),
      })
      expect(readdirSync(folder)).toEqual([])
    }))

  it('says so where there is nothing to decide', async () => {
    expect(await merge(recipe, '--explain-tokens')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no token needed a decision'),
    })
  })
})

describe('mergekit-yaml without a merge', () => {
  it.each([['--help'], ['-h']])('%s prints every option on stdout', async (flag) => {
    const { status, stdout, stderr } = await merge(flag)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const option of [
      '--dry-run',
      '--out-shard-size',
      '--threads',
      '--random-seed',
      '--no-copy-tokenizer',
      '--no-write-model-card',
      '--overwrite',
      '--quiet',
      '--verbose',
      '--version',
      '--cuda',
    ])
      expect(stdout).toContain(option)
    expect(stdout).not.toContain('--lazy-unpickle')
  })

  it('--help loads nothing but the parser of arguments, and so is there at once', async () => {
    const modules = await loadedModules(bin, ['--help'])
    expect(modules.filter((url) => !/^node:|\/apps\/cli\/|\/commander\//.test(url))).toEqual([])
    expect(modules.length).toBeGreaterThan(3)
  })

  it('--version prints the version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await merge('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('--list-methods prints the methods, those of modules included', async () => {
    const module = join(goldens, '..', 'examples', 'methods', 'length-preserving-average.mjs')
    expect(await merge('--list-methods')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^slerp$/m),
    })
    const { stdout } = await merge('--list-methods', '--json', '--method-module', module)
    expect((JSON.parse(stdout) as { methods: { name: string }[] }).methods.map(({ name }) => name)).toContain(
      'length_preserving_average',
    )
  })

  it.each<[string[], string]>([
    [[], `missing argument 'config'`],
    [[recipe], `missing argument 'out'`],
    [[recipe, 'out', 'more'], 'too many arguments'],
    [[recipe, 'out', '--overwrit'], `unknown option '--overwrit'`],
    [[recipe, 'out', '--threads', 'many'], `argument 'many' is invalid`],
    [[recipe, 'out', '--device', 'tpu'], `there is no device 'tpu'`],
    [[recipe, 'out', '--method-module', './none.mjs'], 'none.mjs'],
    [['--list-methods', '--method-module', './none.mjs'], 'none.mjs'],
  ])('%j is wrong usage: exit status 2', async (args, message) => {
    expect(await merge(...args)).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(existsSync(join(goldens, 'out'))).toBe(false)
  })

  it('tells the usage in two lines after what is wrong with it, and where the options are listed', async () => {
    for (const args of [[recipe], [recipe, 'out', '--overwrit']]) {
      const { stderr } = await merge(...args)
      expect(stderr).toMatch(
        /^error: .*\n(\(Did you mean .*\)\n)?usage: mergekit-yaml \[options\] \[config\] \[out\]\n\(mergekit-yaml --help lists the options\)\n$/,
      )
    }
  })
})
