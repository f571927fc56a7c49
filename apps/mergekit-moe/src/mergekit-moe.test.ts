import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadedModules } from '../../cli/src/__fixtures__/loaded-modules.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-moe.cjs', import.meta.url)
const golden = join('siblings', 'moe-mixtral-hidden', 'config.yml')
const text = readFileSync(join(goldens, golden), 'utf8')

async function run(folder: string, recipe: string, args: readonly string[] = []) {
  const [config, out] = [join(folder, 'moe.yml'), join(folder, 'out')]
  writeFileSync(config, recipe)
  return { ...(await runBin(bin, [config, out, '--threads', '1', ...args])), out }
}

describe('mergekit-moe', () => {
  it('writes a model folder with the recipe and a card, and replaces it with --overwrite', () =>
    withFolder(async (folder) => {
      const { status, stderr, stdout, out } = await run(folder, text)
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stdout).toContain('55 tensors')
      expect(stderr).toContain('note: Mixtral of 2 experts, 2 for each token; router rows: hidden')
      expect(readdirSync(out)).toEqual([
        'README.md',
        'config.json',
        'generation_config.json',
        'mergekit_moe_config.yml',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
      ])
      const [before, card] = ['model.safetensors', 'README.md'].map((name) => readFileSync(join(out, name)))
      expect(String(card)).toContain('**mixture\\_of\\_experts**'.replaceAll('\\', ''))
      expect((await run(folder, text)).status).toBe(2)
      const again = await run(folder, text, ['--overwrite', '--json', '--quiet'])
      expect(JSON.parse(again.stdout)).toMatchObject({ tensorCount: 55 })
      expect(readFileSync(join(out, 'model.safetensors')).equals(before!)).toBe(true)
    }))

  it('shards, and leaves out card and tokenizer', () =>
    withFolder(async (folder) => {
      const args = [
        '--out-shard-size',
        '50kB',
        '--no-copy-tokenizer',
        '--no-write-model-card',
        '--out-dtype',
        'float16',
      ]
      const { status, out } = await run(folder, text, args)
      expect(status).toBe(0)
      const names = readdirSync(out)
      expect(names).toContain('model.safetensors.index.json')
      expect(names.filter((name) => /tokenizer|README/.test(name))).toEqual([])
      const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as object
      expect(config).toMatchObject({ dtype: 'float16', num_local_experts: 2 })
    }))

  it('prints the plan with --dry-run, and reads no prompt for it', () =>
    withFolder(async (folder) => {
      const { status, stdout, out } = await run(folder, text, ['--dry-run'])
      expect(status).toBe(0)
      expect(stdout).toContain('method mixture_of_experts: 55 tensors')
      expect(stdout).toMatch(/router +4 .* computed with 0/)
      expect(stdout).toContain('nothing was written')
      expect(existsSync(out)).toBe(false)
    }))

  it('writes a GGUF', () =>
    withFolder(async (folder) => {
      const args = ['--out-format', 'gguf', '--out-dtype', 'float32', '--gguf-pre', 'gpt-2']
      const { status, stderr, out } = await run(folder, text, args)
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(readdirSync(out)).toEqual(['README.md', 'mergekit_moe_config.yml', 'model.gguf'])
    }))

  it.each<[string, string, readonly string[], string]>([
    [
      'an unknown key',
      text.replace('gate_mode', 'gate_modee'),
      [],
      `:2:1: unknown key 'gate_modee'; did you mean 'gate_mode'?`,
    ],
    ['no YAML', 'experts: [', [], 'not valid YAML'],
    ['a model that is not there', text.replace('models/llama-ft2', './nothing'), [], ':10:17: '],
    ['experts that are all the same', text.replace('llama-ft2', 'llama-ft1'), [], '--i-understand-this'],
    ['an output that can not be', `architecture: qwen3\n${text}`, [], 'Qwen3 MoE takes models of qwen3, found llama'],
    ['a recipe of another command', 'merge_method: linear\nmodels: []', [], `for the command 'mergekit-yaml'`],
    ['an option that there is none of', text, ['--gate'], 'unknown option'],
  ])('refuses %s, and writes nothing', (_, recipe, args, message) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr } = await run(folder, recipe, args)
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(readdirSync(folder)).toEqual(['moe.yml'])
    }),
  )

  it('tells all that is wrong with the file as JSON, each with its place', () =>
    withFolder(async (folder) => {
      const wrong = text.replace(/^gate_mode: .*$/m, 'gate_mode: hiden').concat('dtpye: float16\n')
      const { status, stdout } = await run(folder, wrong, ['--json'])
      const { error } = JSON.parse(stdout) as { error: { code: string; faults: unknown[] } }
      expect({ status, code: error.code }).toEqual({ status: 2, code: 'invalid-moe-config' })
      const place = { file: join(folder, 'moe.yml'), line: expect.any(Number), column: expect.any(Number) }
      expect(error.faults).toEqual([
        expect.objectContaining({ message: expect.stringContaining("unknown key 'dtpye'"), place }),
        expect.objectContaining({ message: expect.stringContaining("did you mean 'hidden'"), place }),
      ])
      expect(readdirSync(folder)).toEqual(['moe.yml'])
    }))

  it('ends at a signal while it reads a long prompt, with nothing written', () =>
    withFolder(async (folder) => {
      const config = join(folder, 'moe.yml')
      writeFileSync(
        config,
        text.replace(/positive_prompts:.*(?:\n +- .*)*/, `positive_prompts: ['${'a b '.repeat(20_000)}']`),
      )
      const child = spawn(process.execPath, [fileURLToPath(bin), config, join(folder, 'out')], {
        cwd: goldens,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let told = ''
      child.stderr.on('data', (chunk: Buffer) => {
        told += String(chunk)
        if (told.includes('reading the prompts')) child.kill('SIGTERM')
      })
      const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
      expect({ told, status, signal }).toMatchObject({ status: null, signal: 'SIGTERM' })
      expect(told).toContain('error: interrupted before anything was written')
      expect(readdirSync(folder)).toEqual(['moe.yml'])
    }))

  it('does what its README shows', () =>
    withFolder(async (folder) => {
      const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
      const [config, out] = [join(folder, 'moe.yml'), join(folder, 'mixture')]
      writeFileSync(config, /```yaml\n([\s\S]*?)```/.exec(readme)![1]!)
      const { status, stderr } = await runBin(bin, [config, out, '--threads', '1'], { cwd: join(goldens, '..') })
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ num_experts_per_tok: 1 })
    }))

  it('makes it all the same where a person insists', () =>
    withFolder(async (folder) => {
      const args = ['--i-understand-this-is-not-useful-without-training', '--load-in-4bit', '--dry-run']
      expect((await run(folder, text.replace('llama-ft2', 'llama-ft1'), args)).status).toBe(0)
    }))

  it('loads nothing but the parser of arguments for --help', async () => {
    const modules = await loadedModules(bin, ['--help'])
    expect(modules.filter((url) => !/^node:|\/apps\/(cli|mergekit-moe)\/|\/commander\//.test(url))).toEqual([])
    expect(modules.length).toBeGreaterThan(3)
  })
})
