import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-tokensurgeon.cjs', import.meta.url)
const [model, donor] = ['llama-base', 'llama-other'].map((name) => join(goldens, 'models', name)) as [string, string]
const tiny = (name: string) => join(goldens, '../examples/models', name)

/** Bytes of the head. */
function headOf(folder: string): Buffer {
  const file = readFileSync(join(folder, 'model.safetensors'))
  const start = 8 + Number(file.readBigUInt64LE())
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, { data_offsets: [number, number] }>
  const [from, to] = header['lm_head.weight']!.data_offsets
  return file.subarray(start + from, start + to)
}

describe('mergekit-tokensurgeon', () => {
  it("writes the model with the donor's tokenizer and a card, the same on any threads", () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stdout, stderr } = await runBin(bin, [model, donor, out, '-k', '8', '-j', '1'])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stdout).toContain('39 tensors')
      expect(stderr).toContain('17 new rows by omp')
      expect(readdirSync(folder)).toEqual(['out'])
      expect(readdirSync(out)).toEqual([
        'README.md',
        'config.json',
        'generation_config.json',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
      ])
      const first = readFileSync(join(out, 'model.safetensors'))
      const again = await runBin(bin, [model, donor, out, '-k', '8', '-j', '3', '--overwrite', '--json', '--quiet'])
      expect(JSON.parse(again.stdout)).toMatchObject({ tensorCount: 39 })
      expect(readFileSync(join(out, 'model.safetensors')).equals(first)).toBe(true)
    }))

  it("takes mergekit's short names, and says which options have no effect", () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const args = ['-a', 'mean', '-pm', 'yes', '-bm', 'lm_head', '-nvn', '0.1', '-nvs', '0.5', '-k', '3', '-c']
      const { status, stderr } = await runBin(bin, [model, donor, out, ...args])
      expect(status).toBe(0)
      expect(stderr).toContain('by their beginning')
      expect(stderr).toContain('-k has no effect with the approximation mean')
      expect(stderr).toContain('--cosine-similarity has no effect')
      expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('newVocabNoise: 0.1')
    }))

  it('shows what it would do, and what is wrong, as JSON too', async () => {
    const plan = await runBin(bin, [model, donor, '--dry-run', '--json'])
    expect(JSON.parse(plan.stdout)).toMatchObject({ method: 'tokensurgeon', inputs: [{}, {}] })
    const tokens = await runBin(bin, [model, donor, '--explain-tokens', '--json'])
    expect((JSON.parse(tokens.stdout) as { tokens: unknown[] }).tokens).toHaveLength(17)
    const wrong = await runBin(bin, [model, donor, '/nowhere/out', '-k', '0', '--json'])
    expect(wrong.status).toBe(2)
    expect(wrong.stdout + wrong.stderr).toContain('k is 0')
    const unknown = await runBin(bin, [model, donor, 'out', '-a', 'best'])
    expect(unknown.status).toBe(2)
    expect(unknown.stderr).toContain('omp')
  })

  it('does what the cookbook says', () =>
    withFolder(async (folder) => {
      const root = join(goldens, '..')
      const cookbook = readFileSync(join(root, 'docs/cookbook.md'), 'utf8')
      const args = /npx mergekit-tokensurgeon (.+)/.exec(cookbook)![1]!.split(' ')
      const out = join(folder, 'out')
      const whole = args.map((arg) =>
        arg.startsWith('examples/') ? join(root, arg) : arg === './transplant' ? out : arg,
      )
      const { status, stderr } = await runBin(bin, whole)
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stderr).toContain('2 new rows by omp')
      expect(readdirSync(out)).toContain('chat_template.jinja')
      const [made, own] = [headOf(out), headOf(tiny('tiny-code'))]
      expect(own.equals(made.subarray(0, own.length))).toBe(true)
      expect(made.length - own.length).toBe(2 * 128 * 2)
      expect(made.subarray(own.length).some((byte) => byte !== 0)).toBe(true)
    }))

  it('writes a GGUF with the vocabulary of the donor, and takes none', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const args = [
        tiny('tiny-base'),
        tiny('tiny-prose'),
        out,
        '-a',
        'mean',
        '--out-format',
        'gguf',
        '--gguf-pre',
        'gpt-2',
      ]
      const { status, stderr } = await runBin(bin, args)
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(readdirSync(out)).toContain('model.gguf')
      const taken = await runBin(bin, [tiny('tiny-base'), join(out, 'model.gguf'), join(folder, 'other')])
      expect(taken.status).toBe(2)
      expect(taken.stderr).toContain('a GGUF has its tokenizer in a form of its own')
    }))

  // A quick machine may be through before the signal arrives.
  it('ends at a signal while rows are made, and leaves nothing', { retry: 4 }, () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const args = [fileURLToPath(bin), tiny('tiny-base'), tiny('tiny-prose'), out, '-a', 'mp_rope', '-j', '1']
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      let told = ''
      let isAsked = false
      child.stderr.on('data', (data: Buffer) => {
        told += String(data)
        if (isAsked || !told.includes('new rows by mp_rope')) return
        isAsked = true
        child.kill('SIGTERM')
      })
      const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
      expect({ told, status, signal }).toMatchObject({ status: null, signal: 'SIGTERM' })
      expect(told).toContain('interrupted')
      expect([existsSync(out), readdirSync(folder)]).toEqual([false, []])
    }),
  )
})
