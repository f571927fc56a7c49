import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differences } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-multi.mjs', import.meta.url)
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
})
