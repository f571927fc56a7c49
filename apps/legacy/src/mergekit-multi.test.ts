import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differences } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-multi.cjs', import.meta.url)
const chain = join('cases', 'multi-chain', 'config.yml')
const run = (folder: string, ...args: readonly string[]) =>
  runBin(bin, [...args, '--out-path', join(folder, 'out'), '--threads', '1'])

/** What a plan shows of its merges. */
interface Shown {
  readonly inputs: readonly { readonly label: string }[]
  readonly stages: readonly (Pick<Shown, 'inputs'> & { readonly name: string; readonly method: string })[]
}

describe('mergekit-multi', () => {
  it.each(['multi-chain', 'multi-diamond'])('makes what mergekit made: %s', (name) =>
    withFolder(async (folder) => {
      const { status, stderr } = await run(folder, join('cases', name, 'config.yml'), '-I', join(folder, 'steps'))
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
      expect(await differences(join(folder, 'out'), join(goldens, 'cases', name, 'expected'))).toEqual([])
      const names = name === 'multi-chain' ? ['a'] : ['left', 'right', 'root']
      expect(readdirSync(join(folder, 'steps')).filter((entry) => !entry.startsWith('.'))).toEqual(names)
      expect(existsSync(join(folder, 'steps', names[0]!, 'model.safetensors'))).toBe(true)
    }),
  )

  it('keeps a step of the same recipe and inputs, and writes any other anew', () =>
    withFolder(async (folder) => {
      const [recipe, steps] = [join(folder, 'r.yml'), join(folder, 'steps')]
      const text = readFileSync(join(goldens, chain), 'utf8')
      const merge = async (changed: string, ...more: readonly string[]) => {
        writeFileSync(recipe, changed)
        const { status, stdout, stderr } = await run(folder, recipe, '-I', steps, '--overwrite', ...more)
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
        return stdout
      }
      const weights = join(steps, 'a', 'model.safetensors')
      expect(await merge(text)).toContain(`${join(steps, 'a')}: written\n`)
      const first = readFileSync(weights)
      expect(await merge(text)).toContain(`${join(steps, 'a')}: was there already\n`)
      expect(await merge(text.replace('weight: 2', 'weight: 3'))).toContain('a: written\n')
      expect(readFileSync(weights).equals(first)).toBe(false)
      expect(await merge(text)).toContain('a: written\n')
      expect(await merge(text, '--no-lazy')).toContain('a: written\n')
      const { atime, mtimeMs } = statSync(weights)
      utimesSync(weights, atime, new Date(mtimeMs + 5000))
      expect(await merge(text)).toContain('a: written\n')
    }))

  it('leaves a folder alone that is not its own, and one that the output would be in', () =>
    withFolder(async (folder) => {
      const steps = join(folder, 'steps')
      const taken = await runBin(bin, [chain, '--out-path', join(steps, 'a', 'b'), '-I', steps])
      expect(taken.status).toBe(2)
      expect(taken.stderr).toContain('is to keep a merge that others are made of, but the output is in its way')
      expect(existsSync(join(steps, 'a'))).toBe(false)
      mkdirSync(join(steps, 'a'), { recursive: true })
      writeFileSync(join(steps, 'a', 'mine.txt'), '')
      const stranger = await run(folder, chain, '-I', steps)
      expect(stranger.status).toBe(2)
      expect(stranger.stderr).toContain(`${join(steps, 'a')} has files in it`)
      expect([existsSync(join(folder, 'out')), readdirSync(steps)]).toEqual([false, ['a']])
    }))

  it('asks for a place, and shows the steps of a plan', () =>
    withFolder(async (folder) => {
      const without = await runBin(bin, [chain])
      expect({ status: without.status, stderr: without.stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("give it as '--out-path FOLDER'") as string,
      })
      const plan = await runBin(bin, [join('cases', 'multi-diamond', 'config.yml'), '--dry-run'])
      expect(plan.stdout).toContain('merge root: linear of models/llama-ft1, models/llama-ft2; ')
      expect(plan.stdout).toContain('merge left: task_arithmetic of ')
      expect(plan.stdout).toMatch(/input \d: left\n/)
      const json = await runBin(bin, [join('cases', 'multi-diamond', 'config.yml'), '--dry-run', '--json'])
      const { stages, inputs } = JSON.parse(json.stdout) as Shown
      expect(stages.map(({ name, method, inputs: from }) => [name, method, from.map(({ label }) => label)])).toEqual([
        ['root', 'linear', ['models/llama-ft1', 'models/llama-ft2']],
        ['right', 'slerp', ['root', 'models/llama-ft3']],
        ['left', 'task_arithmetic', ['models/llama-base', 'root']],
      ])
      expect(inputs.map(({ label }) => label)).toEqual(['models/llama-base', 'left', 'right'])
      expect(readdirSync(folder)).toEqual([])
    }))

  const named = `name: b
merge_method: linear
dtype: float32
models: [{model: a, parameters: {weight: 1}}, {model: models/llama-ft3, parameters: {weight: 2}}]
---
name: a
merge_method: linear
dtype: float32
models: [{model: models/llama-ft1, parameters: {weight: 1}}, {model: models/llama-ft2, parameters: {weight: 1}}]
`

  it('writes all merges of a file where all have names, each once', () =>
    withFolder(async (folder) => {
      const [recipe, steps] = [join(folder, 'r.yml'), join(folder, 'steps')]
      writeFileSync(recipe, named)
      const first = await runBin(bin, [recipe, '-I', steps, '--threads', '1'])
      expect(first).toMatchObject({
        status: 0,
        stdout: `${join(steps, 'a')}: written\n${join(steps, 'b')}: written\n`,
      })
      expect(readdirSync(folder).toSorted()).toEqual(['r.yml', 'steps'])
      const weights = readFileSync(join(steps, 'b', 'model.safetensors'))
      // The same as by a recipe whose output it is.
      writeFileSync(join(folder, 'one.yml'), named.replace('name: b\n', ''))
      expect(await run(folder, join(folder, 'one.yml'))).toMatchObject({ status: 0 })
      expect(readFileSync(join(folder, 'out', 'model.safetensors')).equals(weights)).toBe(true)

      const again = await runBin(bin, [recipe, '-I', steps, '--out-path', join(folder, 'none'), '--json'])
      expect(again.status).toBe(0)
      const { kept } = JSON.parse(again.stdout) as { kept: object[] }
      expect(kept).toEqual(
        ['a', 'b'].map((name) => ({ name, folder: join(steps, name), isReused: true, nonFinite: [] })),
      )
      expect(again.stderr).toContain('--out-path has no effect: all merges of')
      expect(existsSync(join(folder, 'none'))).toBe(false)
      writeFileSync(recipe, named.replace('weight: 2', 'weight: 3'))
      const changed = await runBin(bin, [recipe, '--keep-intermediates', steps, '--threads', '1'])
      expect(changed.stdout).toContain(`${join(steps, 'b')}: written\n`)
    }))

  it.each([
    ['merges that are made of one another', named.replace('models/llama-ft1', 'b'), 'made of one another'],
    [
      'a name that nothing has',
      named.replace('model: a,', 'model: aa,'),
      "r.yml:4:18: 'aa' is neither a merge of this",
    ],
    ['a name of a method', named.replace('name: b', 'name: linear'), 'r.yml:1:7: the merge is called'],
    ['two outputs', named.replaceAll(/name: .\n/g, ''), 'two merges have no name'],
    ['no YAML', 'name: a\nmodels: [', 'not valid YAML'],
  ])('refuses %s, and writes nothing', (_, text, message) =>
    withFolder(async (folder) => {
      const recipe = join(folder, 'r.yml')
      writeFileSync(recipe, text)
      const { status, stdout, stderr } = await run(folder, recipe, '-I', join(folder, 'steps'))
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(message)
      expect(readdirSync(folder)).toEqual(['r.yml'])
    }),
  )

  it('writes a file of one merge with a name', () =>
    withFolder(async (folder) => {
      const [recipe, steps] = [join(folder, 'r.yml'), join(folder, 'steps')]
      writeFileSync(recipe, named.slice(named.indexOf('name: a')))
      expect(await runBin(bin, [recipe, '-I', steps])).toMatchObject({ status: 0 })
      expect(existsSync(join(steps, 'a', 'model.safetensors'))).toBe(true)
    }))

  it('asks for a folder where all merges have names, and shows the plan of each', () =>
    withFolder(async (folder) => {
      const recipe = join(folder, 'r.yml')
      writeFileSync(recipe, named)
      for (const args of [[], ['--out-path', join(folder, 'out')]]) {
        const { status, stderr } = await runBin(bin, [recipe, ...args])
        expect({ status, stderr }).toEqual({
          status: 2,
          stderr: expect.stringContaining("write all of them into as '--intermediate-dir FOLDER'") as string,
        })
      }
      expect(await runBin(bin, [recipe, '-I', folder, '--push', 'org/name'])).toMatchObject({ status: 2 })
      const { stdout } = await runBin(bin, [recipe, '--dry-run'])
      expect(stdout).toMatch(/^a\nmethod linear: [\s\S]*\nb\nmethod linear: [\s\S]*merge a: linear of /)
      const { merges } = JSON.parse((await runBin(bin, [recipe, '--dry-run', '--json'])).stdout) as { merges: object[] }
      expect(merges).toMatchObject([
        { name: 'a', method: 'linear' },
        { name: 'b', stages: [{ name: 'a' }] },
      ])
      expect(readdirSync(folder)).toEqual(['r.yml'])
      const yaml = await runBin(new URL('../../cli/bin/mergekit-yaml.cjs', import.meta.url), [
        recipe,
        join(folder, 'out'),
      ])
      expect(yaml.stderr).toContain('mergekit-multi --intermediate-dir FOLDER')
    }))
})
