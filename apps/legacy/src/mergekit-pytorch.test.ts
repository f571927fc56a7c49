import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { loadModel, tensorDifferences } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-pytorch.cjs', import.meta.url)
const siblings = join(goldens, 'siblings')
const cases = readdirSync(siblings).filter((name) => name.startsWith('pytorch-'))

/** Writes a file of float32 vectors. */
function writeTensors(file: string, tensors: Readonly<Record<string, readonly number[]>>): void {
  const types = Object.entries(tensors).map(([name, { length }]) => ({ name, dtype: 'F32' as const, shape: [length] }))
  const layout = layoutFile(types, {})
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, byteStart } of layout.tensors)
    bytes.set(new Uint8Array(Float32Array.from(tensors[name]!).buffer), byteStart)
  writeFileSync(file, bytes)
}

async function run(folder: string, recipe: string, args: readonly string[] = []) {
  const [config, out] = [join(folder, 'raw.yml'), join(folder, 'out')]
  writeFileSync(config, recipe)
  writeTensors(join(folder, 'a.safetensors'), { both: [1, 2], 'only.a': [3] })
  writeTensors(join(folder, 'b.safetensors'), { both: [3, 6], 'only.b': [5, 7] })
  const result = await runBin(bin, [config, out, '--threads', '1', ...args])
  const values =
    result.status === 0 && existsSync(out)
      ? Object.fromEntries([...(await loadModel(out))].map(([name, tensor]) => [name, [...tensor.values]]))
      : undefined
  return { ...result, out, values }
}

const recipe = (weights: readonly number[], more = '') =>
  `merge_method: linear\nmodels:\n${weights.map((weight, index) => `- {model: ${'ab'[index]}.safetensors, parameters: {weight: ${weight}}}\n`).join('')}${more}`

describe('mergekit-pytorch', () => {
  it.each(cases)('makes what mergekit made: %s', (name) =>
    withFolder(async (folder) => {
      const given = JSON.parse(readFileSync(join(siblings, name, 'command.json'), 'utf8')) as { arguments: string[] }
      const out = join(folder, 'out')
      const args = given.arguments.map((argument) =>
        argument === 'OUT' ? out : argument === 'config.yml' ? join(siblings, name, argument) : argument,
      )
      const { status, stderr } = await runBin(bin, [...args, '--threads', '1'])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(existsSync(join(out, 'config.json'))).toBe(false)
      expect(tensorDifferences(await loadModel(out), await loadModel(join(siblings, name, 'expected')))).toEqual([])
    }),
  )

  it('refuses files with different tensors, unless told what becomes of them', () =>
    withFolder(async (folder) => {
      const refused = await run(folder, recipe([1, 1]))
      expect(refused).toMatchObject({ status: 2, values: undefined })
      expect(refused.stderr).toContain('only.a')
      expect(existsSync(refused.out)).toBe(false)
    }))

  it('--tensor-intersection leaves them out, with a note', () =>
    withFolder(async (folder) => {
      const { values, stderr } = await run(folder, recipe([1, 1]), ['-i'])
      expect(values).toEqual({ both: [2, 4] })
      expect(stderr).toMatch(/only\.b: left out, since .*a\.safetensors lacks it/)
    }))

  it('--tensor-union merges them from the files that have them', () =>
    withFolder(async (folder) => {
      const { values } = await run(folder, recipe([0.25, 0.75]), ['--tensor-union'])
      expect(values).toEqual({ both: [2.5, 5], 'only.a': [3], 'only.b': [5, 7] })
    }))

  it('takes a weight of 0 and files without parameters of their own', () =>
    withFolder(async (folder) => {
      expect((await run(folder, recipe([1, 0]), ['-i'])).values).toEqual({ both: [1, 2] })
      const plain = 'merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\n'
      expect((await run(folder, `${plain}parameters: {weight: 1}\n`, ['-i', '--overwrite'])).values).toEqual({
        both: [2, 4],
      })
    }))

  it.each<[string, string, readonly string[], string]>([
    ['both options', recipe([1, 1]), ['-i', '-u'], 'cannot be used with'],
    ['slices', `${recipe([1, 1])}slices: []\n`, [], `raw.yml:5:1: 'slices' has no meaning`],
    ['a unknown key', `${recipe([1, 1])}dtyp: float32\n`, ['-i'], `raw.yml:5:1: unknown key 'dtyp'`],
    ['a file that is not there', recipe([1, 1]).replace('b.safe', 'c.safe'), ['-u'], 'c.safetensors'],
  ])('refuses %s, and writes nothing', (_, text, args, message) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr, out } = await run(folder, text, args)
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(existsSync(out)).toBe(false)
    }),
  )

  it('plans with --dry-run, without a place to write to', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'raw.yml'), recipe([1, 1]))
      writeTensors(join(folder, 'a.safetensors'), { both: [1] })
      writeTensors(join(folder, 'b.safetensors'), { both: [1] })
      const { status, stdout } = await runBin(bin, [join(folder, 'raw.yml'), '--dry-run', '--json'])
      expect(status).toBe(0)
      expect((JSON.parse(stdout) as { tensors: unknown[] }).tensors).toHaveLength(1)
    }))
})
