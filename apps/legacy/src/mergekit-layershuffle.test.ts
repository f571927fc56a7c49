import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadModel } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'
import { filesOf } from './__fixtures__/folders.ts'

const bin = new URL('../bin/mergekit-layershuffle.cjs', import.meta.url)
const yamlBin = new URL('../../cli/bin/mergekit-yaml.cjs', import.meta.url)
const two = ['-m', 'models/llama-ft1', '-m', 'models/llama-ft2', '--random-seed', '4']

describe('mergekit-layershuffle', () => {
  it.each([[], ['--full-random']])('makes the model of the recipe that it prints and writes (%s)', (...options) =>
    withFolder(async (folder) => {
      const [out, again, yaml] = ['out', 'again', 'recipe.yml'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ]
      const args = [out, ...two, ...options, '--threads', '1', '--print-yaml', '--write-yaml', yaml]
      const { status, stdout, stderr } = await runBin(bin, args)
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(readFileSync(yaml, 'utf8')).toBe(stdout)
      expect((await runBin(yamlBin, [yaml, again, '--threads', '1'])).status).toBe(0)
      expect(filesOf(again)).toEqual(filesOf(out))
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ num_hidden_layers: 4 })
    }),
  )

  it('takes each layer from one of the models, and writes float16 if asked to', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      expect((await runBin(bin, [out, ...two, '--fp16', '--threads', '1'])).status).toBe(0)
      const [merged, ft1, ft2] = await Promise.all(
        [out, join(goldens, 'models/llama-ft1'), join(goldens, 'models/llama-ft2')].map(loadModel),
      )
      const from = Array.from({ length: 4 }, (_, layer) => {
        const name = `model.layers.${layer}.mlp.down_proj.weight`
        const { dtype, values } = merged!.get(name)!
        expect(dtype).toBe('F16')
        const isOf = (model: typeof ft1) =>
          model!.get(name)!.values.every((value, i) => Math.abs(value - values[i]!) < 1e-3)
        return [isOf(ft1), isOf(ft2)].filter(Boolean).length
      })
      expect(from).toEqual([1, 1, 1, 1])
    }))

  it('takes folders with signs of references in their names', () =>
    withFolder(async (folder) => {
      cpSync(join(goldens, 'models/llama-ft1'), join(folder, 'a+b@c'), { recursive: true })
      const args = ['-m', 'a+b@c', '--dry-run', '--print-yaml']
      const { status, stdout, stderr } = await runBin(bin, args, { cwd: folder })
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(stdout).toContain('path: a+b@c')
    }))

  it('only gives the recipe where no output is named, and the plan with --dry-run', () =>
    withFolder(async (folder) => {
      const yaml = join(folder, 'recipe.yml')
      expect(await runBin(bin, [...two, '--write-yaml', yaml])).toMatchObject({ status: 0, stdout: '', stderr: '' })
      const nowhere = join(folder, 'missing', 'recipe.yml')
      expect(await runBin(bin, [...two, '--write-yaml', nowhere])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(
          `the recipe could not be written to ${nowhere}: there is no such file or folder`,
        ),
      })
      expect(readdirSync(folder)).toEqual(['recipe.yml'])
      expect(await runBin(bin, [...two, '--print-yaml'])).toMatchObject({ stdout: readFileSync(yaml, 'utf8') })
      const { status, stdout } = await runBin(bin, [...two, '--dry-run', '--json'])
      expect(status).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ method: 'passthrough' })
    }))

  it.each<[string, readonly string[], string]>([
    ['no models', [], 'no models to shuffle'],
    ['a model that is not there', ['-m', './nothing'], 'nothing'],
    ['a weight that is none', [...two, '-w', 'much'], 'Expected a number'],
    ['one weight for two models', [...two, '-w', '1'], '--weight is given 1 times for 2 --model'],
  ])('refuses %s, and writes nothing', (_, args, message) =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const result = await runBin(bin, [out, ...args, '--threads', '1'])
      expect(result.status).toBe(2)
      expect(result.stderr).toContain(message)
      expect(existsSync(out)).toBe(false)
    }),
  )
})
