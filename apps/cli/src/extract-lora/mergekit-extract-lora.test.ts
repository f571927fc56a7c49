import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-extract-lora.cjs', import.meta.url)
const models = ['--model', 'models/qwen-ft1', '--base-model', 'models/qwen-base']

describe('mergekit-extract-lora', () => {
  it('writes an adapter, with the same bytes on any number of threads', () =>
    withFolder(async (folder) => {
      const bytes = []
      for (const threads of ['1', '2']) {
        const out = join(folder, threads)
        const args = [...models, '--out-path', out, '--max-rank', '4', '-j', threads, '--cuda']
        const { status, stdout, stderr } = await runBin(bin, args)
        expect({ status, stdout }).toMatchObject({ status: 0 })
        expect(stdout).toContain('21 modules of rank 4, 9 whole, 0 unchanged')
        expect(stderr).toContain('--cuda has no effect')
        expect(readdirSync(out).toSorted()).toEqual(['README.md', 'adapter_config.json', 'adapter_model.safetensors'])
        bytes.push(readFileSync(join(out, 'adapter_model.safetensors')))
      }
      expect(bytes[0]!.equals(bytes[1]!)).toBe(true)

      const again = ['--out-path', join(folder, '1'), '--overwrite', '--json', '--quiet', '--energy', '0.5']
      const { stdout, stderr } = await runBin(bin, [...models, ...again, '--no-write-model-card'])
      const { ranks, errors } = JSON.parse(stdout) as Record<'ranks' | 'errors', Record<string, number>>
      expect(stderr).toBe('')
      expect(new Set(Object.values(ranks)).size).toBeGreaterThan(1)
      expect(Math.max(...Object.values(errors))).toBeLessThanOrEqual(Math.SQRT1_2)
      expect(readdirSync(join(folder, '1'))).not.toContain('README.md')
    }))

  it('prints which modules it would have', async () => {
    const { status, stdout } = await runBin(bin, [...models, '--dry-run', '-e', 'mlp', '--skip-undecomposable'])
    expect(status).toBe(0)
    expect(stdout).toContain('decomposed where changed: 12 modules\n  k_proj × 3')
    expect(stdout).toContain('saved whole where changed: 1 module (embeddings')
    expect(stdout).toContain('left out: 16 modules')
    const json = JSON.parse((await runBin(bin, [...models, '--dry-run', '--json'])).stdout) as { decomposed: unknown[] }
    expect(json.decomposed).toContainEqual({ module: 'model.layers.0.self_attn.q_proj', shape: [24, 24], bias: true })
  })

  it.each<[string, readonly string[], string]>([
    [
      'a model that is its base',
      ['--model', 'models/qwen-base', '--base-model', 'models/qwen-base'],
      'nothing to extract',
    ],
    [
      'models of other families',
      ['--model', 'models/qwen-ft1', '--base-model', 'models/llama-base'],
      'has no counterpart for',
    ],
    ['a model that is not there', ['--model', './nothing', '--base-model', 'models/llama-base'], './nothing'],
    ['no base', ['--model', 'models/llama-ft1'], '--base-model'],
    ['a rank of 0', [...models, '--max-rank', '0'], 'Expected a whole number from 1'],
    ['a share past 1', [...models, '--energy', '1.5'], 'Expected a number above 0, at most 1'],
    ['a pattern that is none', [...models, '-i', '('], 'is no regular expression'],
  ])('refuses %s, and writes nothing', (_, args, message) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr } = await runBin(bin, [...args, '--out-path', join(folder, 'out'), '-j', '1'])
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(readdirSync(folder)).toEqual([])
    }),
  )

  it('wants a place for the adapter', async () => {
    const { status, stderr } = await runBin(bin, models)
    expect(status).toBe(2)
    expect(stderr).toContain('--out-path FOLDER is missing: expected it, or --dry-run')
  })
})
