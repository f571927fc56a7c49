import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

const recipe = `merge_method: ties
base_model: models/llama-base
parameters: { weight: 1, density: 0.5 }
models: [{ model: models/llama-base+models/lora-qvd }, { model: models/llama-ft1 }]
`

describe('mergekit-yaml --out-format lora', () => {
  it('writes an adapter, with the same bytes on any number of threads, and prints its plan', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'recipe.yml')
      writeFileSync(file, recipe)
      const bytes = []
      for (const threads of ['1', '2']) {
        const out = join(folder, threads)
        const { status, stdout, stderr } = await runBin(bin, [
          file,
          out,
          '--out-format',
          'lora',
          '--rank',
          '2',
          '-j',
          threads,
        ])
        expect({ status, stderr }).toMatchObject({ status: 0 })
        expect(stdout).toMatch(/tensors, .* in 1 file/)
        bytes.push(readFileSync(join(out, 'adapter_model.safetensors')))
      }
      expect(bytes[0]!.equals(bytes[1]!)).toBe(true)

      const plan = await runBin(bin, [file, '--dry-run', '--out-format', 'lora', '--rank', '2'])
      expect(plan.stdout).toContain('the merged change, decomposed')
      const json = await runBin(bin, [file, '--dry-run', '--json', '--out-format', 'lora', '--rank', '2'])
      const { files } = JSON.parse(json.stdout) as { files: readonly { name: string }[] }
      expect(files.map(({ name }) => name)).toEqual(['adapter_model.safetensors'])

      const without = await runBin(bin, [file, join(folder, 'none'), '--out-format', 'lora'])
      expect(without.status).toBe(2)
      expect(without.stderr).toContain('expected a rank')
    }))

  it.each(['0', '1.5', 'many'])('refuses a rank of %s', async (rank) => {
    const { status, stderr } = await runBin(bin, ['recipe.yml', 'out', '--out-format', 'lora', '--rank', rank])
    expect(status).toBe(2)
    expect(stderr).toContain('Expected a whole number from 1')
  })
})
