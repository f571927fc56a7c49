import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnosis } from '@mk/inspect'
import { layoutFile } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const [diff, diagnose, verify, merge, emr] = ['mk-diff', 'mk-diagnose', 'mk-verify', 'mergekit-yaml', 'mk-emr'].map(
  (name) => new URL(`../../bin/${name}.cjs`, import.meta.url),
) as [URL, URL, URL, URL, URL]
const [base, ft1, ft2] = ['models/llama-base', 'models/llama-ft1', 'models/llama-ft2'] as const
const recipe = `merge_method: ties\nbase_model: ${base}\nparameters: {weight: 0.5, density: 0.5}\nmodels: [{model: ${ft1}}, {model: ${ft2}}]\n`

describe('mk-diff', () => {
  it('prints a verdict and a line for each kind, and the same numbers on any number of threads', async () => {
    const { status, stdout, stderr } = await runBin(diff, [ft1, ft2, '--base', base, '-q'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^models\/llama-ft2 is close to models\/llama-ft1/)
    expect(stdout).toContain('the two changes have a cosine of')
    expect(stdout).toMatch(/^differs by +cosine +changed.*opposite +overlap +kind$/m)
    expect(stdout).toMatch(/ %  self_attn\.q_proj$/m)
    const full = await runBin(diff, [ft1, ft2, '-q', '-v', '--effective-rank'])
    expect(full.stdout).toMatch(/ {2}effective rank {2}tensor$/m)
    expect(full.stdout).toMatch(/ \d[\d.]* of 24 {2}model\.layers\.1\.self_attn\.q_proj\.weight$/m)
    expect(full.stdout).not.toMatch(/ of \d+ {2}model\.norm\.weight$/m)
    expect(full.stdout).toMatch(/ {2}model\.layers\.1\.self_attn\.q_proj\.weight$/m)
    const [one, two] = await Promise.all(
      ['1', '2'].map((threads) => runBin(diff, [ft1, ft2, '--base', base, '--json', '-q', '-j', threads])),
    )
    expect(two!.stdout).toBe(one!.stdout)
    expect(JSON.parse(one!.stdout)).toMatchObject({ version: 1, models: { a: ft1, b: ft2, base } })
  })

  it('writes a page, in a place where it can', () =>
    withFolder(async (folder) => {
      const page = join(folder, 'diff.html')
      expect(await runBin(diff, [ft1, ft2, '--html', page])).toMatchObject({ status: 0 })
      const text = readFileSync(page, 'utf8')
      expect(text).toContain('<!doctype html>')
      expect(text).not.toMatch(/(src|href)=|https?:/)
      for (const place of [folder, join(folder, 'none', 'diff.html')]) {
        const { status, stderr } = await runBin(diff, [ft1, ft2, '--html', place])
        expect(status).toBe(2)
        expect(stderr).toContain(`can't write the page ${place}`)
      }
    }))

  it.each<[string, string[], string]>([
    ['a model that is not there', [ft1, './nothing'], './nothing'],
    ['one model', [ft1], "missing argument 'b'"],
    ['models with nothing in common', [ft1, 'models/bert-base'], 'nothing to compare'],
    ['a share that is none', [ft1, ft2, '--top', '2'], 'Expected a number above 0'],
    ['an empty name', ['', ft2], 'the name of a model is empty'],
  ])('refuses %s', async (_, args, message) => {
    const { status, stdout, stderr } = await runBin(diff, args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('mk-diagnose', () => {
  it('prints what stands out, models, pairs and weights, and writes nothing', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'recipe.yml')
      writeFileSync(file, recipe)
      const { status, stdout } = await runBin(diagnose, [file, '-v'])
      expect(status).toBe(0)
      expect(stdout).toMatch(/^nothing stands out/)
      expect(stdout).toContain('the base is models/llama-base')
      expect(stdout).toMatch(/models\/llama-ft1 and models\/llama-ft2$/m)
      expect(stdout).toMatch(/weights by norm.*\n {2}0\.\d+ {2}models\/llama-ft1\n/)
      const json = JSON.parse((await runBin(diagnose, [file, '--json', '-q'])).stdout) as object
      expect(json).toMatchObject({ version: 1, base, models: [{ model: ft1 }, { model: ft2 }], findings: [] })
      writeFileSync(file, recipe.replace('density:', 'densty:'))
      const refused = await runBin(diagnose, [file])
      expect(refused.status).toBe(2)
      expect(refused.stderr).toContain('density')
    }))

  it('reads large tensors in part and says so on top, with the same numbers on any number of threads, and all with --full', () =>
    withFolder(async (folder) => {
      const [rows, columns] = [1100, 2000]
      const layout = layoutFile([{ name: 'w', dtype: 'BF16', shape: [rows, columns] }], { format: 'pt' })
      const [a, b] = ['a', 'b'].map((name, model) => {
        const bits = new Uint16Array(rows * columns)
        let state = 1
        for (let index = 0; index < bits.length; index++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          // Between 1/2 and 1, of either sign, with another lowest bit in the models.
          bits[index] = 0x3f00 | ((state >>> 16) & 0x807e) | ((state >>> (8 + model)) & 1)
        }
        // Of the second row, of which no block is read.
        if (model === 1) bits[columns] = 0x7fc0
        const file = join(folder, `${name}.safetensors`)
        writeFileSync(file, Buffer.concat([layout.header, Buffer.from(bits.buffer)]))
        return file
      })
      const file = join(folder, 'linear.yml')
      writeFileSync(file, `merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: ${a}}, {model: ${b}}]\n`)
      const [one, two] = await Promise.all(
        ['1', '2'].map((threads) => runBin(diagnose, [file, '--json', '-q', '-j', threads])),
      )
      expect(two!.stdout).toBe(one!.stdout)
      const { read, pairs } = JSON.parse(one!.stdout) as Pick<Diagnosis, 'read' | 'pairs'>
      expect(read).toEqual({
        elementCount: rows * columns,
        readElements: 2 ** 20,
        tensorCount: 1,
        sampledTensors: 1,
      })
      expect(pairs[0]!.standardErrors!.apart).toBeGreaterThan(0)
      const part = await runBin(diagnose, [file, '-q'])
      expect(part.stdout).toMatch(
        /^estimated from 47\.7 % of the elements.*NaN.*--full reads all\n\nnothing stands out in/s,
      )
      const full = await runBin(diagnose, [file, '-q', '--full'])
      expect(full.stdout).toMatch(/^- .*b\.safetensors has 1 element that are infinite or NaN/)
      expect(full.stdout).not.toContain('±')
    }))
})

describe('mk-verify', () => {
  it('says whether an output is sound, by its exit status too, also computed anew', () =>
    withFolder(async (folder) => {
      const [file, plan, out] = ['recipe.yml', 'plan.json', 'out'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ]
      writeFileSync(file, recipe)
      expect(await runBin(merge, [file, out, '--plan-out', plan, '-q'])).toMatchObject({ status: 0 })
      expect(await runBin(merge, [file, out, '-q'])).toMatchObject({ status: 0 })
      const sound = await runBin(verify, [out, '--against', plan, '--sample', 'all', '-q'])
      expect(sound).toMatchObject({ status: 0, stderr: '' })
      expect(sound.stdout).toMatch(/nothing is wrong \(.* 1 checksum, \d+ tensors computed anew\)/)

      const weights = join(out, 'model.safetensors')
      const bytes = readFileSync(weights)
      bytes[bytes.length - 1]! ^= 1
      writeFileSync(weights, bytes)
      const wrong = await runBin(verify, [out, '--against', plan, '--sample', 'all', '-j', '2', '-q'])
      expect(wrong.status).toBe(3)
      expect(wrong.stdout.match(/^wrong: .*/gm)).toHaveLength(2)
      const { stdout } = await runBin(verify, [out, '--json', '-q'])
      expect(JSON.parse(stdout)).toMatchObject({ version: 1, isSound: false, faults: [{ code: 'checksum' }] })
    }))

  it('takes doubts for faults where it is to be strict', async () => {
    const args = ['models/llama-base', '-q']
    expect(await runBin(verify, args)).toMatchObject({ status: 0 })
    expect(await runBin(verify, [...args, '--strict'])).toMatchObject({ status: 0 })
  })

  it.each<[string, string[], string]>([
    ['an output that is not there', ['./nothing'], './nothing is not there'],
    ['a plan that is not there', [ft1, '--against', './nothing.json'], './nothing.json'],
    ['a sample of none', [ft1, '--sample', '0'], "Expected a whole number from 1, or 'all'"],
  ])('refuses %s', async (_, args, message) => {
    const { status, stdout, stderr } = await runBin(verify, args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('mk-emr', () => {
  it('writes a mask that the merge after it reads, or says what it would write, and how an error is mended', () =>
    withFolder(async (folder) => {
      const at = (name: string) => join(folder, name)
      writeFileSync(
        at('emr.yml'),
        `merge_method: emr\nbase_model: ${base}\nmodels: [{model: ${ft1}}, {model: ${ft2}}]\n`,
      )
      expect(await runBin(merge, [at('emr.yml'), at('merged'), '-q'])).toMatchObject({ status: 0 })
      const mask = at('masks/one.safetensors')
      const args = [at('merged'), ft1, mask, '--base', base]
      const dry = await runBin(emr, [...args, '--dry-run', '--json', '-q'])
      expect(dry).toMatchObject({ status: 0, stderr: '' })
      expect(existsSync(at('masks'))).toBe(false)
      const { byteCount, models } = JSON.parse(dry.stdout) as { byteCount: number; models: object }
      expect(models).toEqual({ merged: at('merged'), model: ft1, base })
      const written = await runBin(emr, args)
      expect(written.status).toBe(0)
      expect(written.stdout).toMatch(
        /^wrote .*one\.safetensors, .* % of what models\/llama-ft1 changes .* rescaled by \d/,
      )
      expect(statSync(mask).size).toBe(byteCount)
      const text = `merge_method: masked_task_arithmetic\nbase_model: ${base}\nmodels: [{model: merged, parameters: {mask: MASK}}]\n`
      writeFileSync(at('task.yml'), text.replace('MASK', 'masks/one.safetensors'))
      expect(await runBin(merge, [at('task.yml'), at('task'), '-q'])).toMatchObject({ status: 0 })
      writeFileSync(at('other.yml'), text.replace('MASK', 'masks/two.safetensors'))
      const unknown = await runBin(merge, [at('other.yml'), at('other'), '-q'])
      expect(unknown.status).toBe(2)
      expect(unknown.stderr).toContain('masks/one.safetensors')

      const again = await runBin(emr, args)
      expect(again.status).toBe(2)
      expect(again.stderr).toContain('is there already; expected a new file, or --overwrite')
      expect(await runBin(emr, [...args, '--overwrite', '--json', '-q'])).toMatchObject({ status: 0 })
      const other = await runBin(emr, [at('merged'), 'models/bert-base', at('no.safetensors'), '--base', base])
      expect(other.status).toBe(2)
      expect(other.stderr).toMatch(/models\/bert-base has no '.*'; expected \[/)
      const none = await runBin(emr, [at('merged'), ft1, at('no.safetensors')])
      expect(none.status).toBe(2)
      expect(none.stderr).toContain('--base')
    }))
})
