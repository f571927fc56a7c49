import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '@mk/config'
import { describe, expect, it } from 'vitest'
import { differences } from '../../cli/src/__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from '../../cli/src/__fixtures__/run-bin.ts'
import { filesOf } from './__fixtures__/folders.ts'

const bin = new URL('../bin/mergekit-legacy.cjs', import.meta.url)
const yamlBin = new URL('../../cli/bin/mergekit-yaml.cjs', import.meta.url)
const cases = readdirSync(join(goldens, 'cases')).filter((name) => name.startsWith('legacy-'))
const argumentsOf = (name: string) =>
  JSON.parse(readFileSync(join(goldens, 'cases', name, 'arguments.json'), 'utf8')) as string[]
const pair = ['--base-model', 'models/llama-base', '--merge', 'models/llama-ft1', '--merge', 'models/llama-ft2']

describe('mergekit-legacy', () => {
  it.each(cases)(
    'makes what mergekit made: %s, and the same bytes by the recipe it prints',
    { timeout: 60_000 },
    (name) =>
      withFolder(async (folder) => {
        const [out, recipe, again] = ['out', 'recipe.yml', 'again'].map((entry) => join(folder, entry)) as [
          string,
          string,
          string,
        ]
        const { status, stdout, stderr } = await runBin(bin, [
          out,
          ...argumentsOf(name),
          '--print-yaml',
          '--threads',
          '1',
        ])
        expect({ status, stderr }).toMatchObject({ status: 0 })
        expect(await differences(out, join(goldens, 'cases', name, 'expected'))).toEqual([])
        expect(stderr).toContain(`${out}: `)

        writeFileSync(recipe, stdout)
        expect((await runBin(yamlBin, [recipe, again, '--threads', '2'])).status).toBe(0)
        expect(filesOf(again)).toEqual(filesOf(out))
      }),
  )

  it('takes folders with signs of references in their names', () =>
    withFolder(async (folder) => {
      for (const name of ['a+b', 'c@d'])
        cpSync(join(goldens, 'models/llama-ft1'), join(folder, name), { recursive: true })
      const args = ['--merge', 'a+b', '--base-model', 'c@d', '--method', 'task_arithmetic', '--dry-run']
      const { status, stderr } = await runBin(bin, args, { cwd: folder })
      expect({ status, stderr }).toMatchObject({ status: 0 })
    }))

  it('does what the example of the documents means', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      for (const [name, model] of [
        ['Llama-2-13B-fp16', 'base'],
        ['WizardLM-13B-V1.2', 'ft1'],
        ['Platypus2-13B', 'ft2'],
      ] as const)
        symlinkSync(join(goldens, 'models', `llama-${model}`), join(folder, name))
      const example = `./output-model --base-model Llama-2-13B-fp16 --cuda
        --merge WizardLM-13B-V1.2 --weight 0.3 --density 0.5
        --merge Platypus2-13B --weight 0.5 --density 0.5`
      const [out, ...rest] = example.split(/\s+/) as [string, ...string[]]
      const printed = await runBin(bin, [...rest, '--print-yaml'], { cwd: folder })
      const meant = `
        merge_method: ties
        base_model: Llama-2-13B-fp16
        models:
          - {model: WizardLM-13B-V1.2, parameters: {weight: 0.3, density: 0.5}}
          - {model: Platypus2-13B, parameters: {weight: 0.5, density: 0.5}}
        parameters: {normalize: true}`
      expect(printed).toMatchObject({ status: 0, stderr: '' })
      expect(parseConfig(printed.stdout).document).toEqual(parseConfig(meant).document)
      expect(readdirSync(folder)).toHaveLength(3)

      const merged = await runBin(bin, [out, ...rest.filter((argument) => argument !== '--cuda')], { cwd: folder })
      expect(merged).toMatchObject({ status: 0 })
      expect(merged.stdout).toMatch(/^\.\/output-model: 39 tensors/)
      expect(await differences(join(folder, out), join(goldens, 'cases', 'legacy-ties', 'expected'))).toEqual([])
    }),
  )

  it('writes bfloat16 with --bf16, and takes the options of mergekit-yaml', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stdout, stderr } = await runBin(bin, [
        out,
        ...pair,
        '--bf16',
        '--int8-mask',
        '--no-write-model-card',
        '--json',
        '--lazy-unpickle',
      ])
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(JSON.parse(stdout)).toMatchObject({ out, tensorCount: 39 })
      expect(stderr).toContain('note: --lazy-unpickle has no effect')
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ dtype: 'bfloat16' })
      expect(existsSync(join(out, 'README.md'))).toBe(false)
    }),
  )

  it('prints the plan with --dry-run, to stderr where stdout has the recipe', async () => {
    const planned = await runBin(bin, [...pair, '--dry-run'])
    expect(planned).toMatchObject({ status: 0, stdout: expect.stringContaining('39 tensors') })
    const both = await runBin(bin, [...pair, '--dry-run', '--print-yaml'])
    expect(both.stdout).toMatch(/^merge_method: ties\n/)
    expect(both.stderr).toContain('nothing was written')
  })

  it('merges by a method of a module', { timeout: 60_000 }, () =>
    withFolder(async (folder) => {
      const module = join(folder, 'first.mjs')
      const method = `{ name: 'first', summary: 'The first model.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, merge: ({ models }) => models[0] }`
      writeFileSync(module, `export default ${method}`)
      for (const [index, options] of [
        ['--method', module],
        ['--method', 'first', '--method-module', module],
      ].entries()) {
        const out = join(folder, `out${index}`)
        const { status, stderr } = await runBin(bin, [out, '--merge', 'models/llama-ft1', ...options])
        expect({ status, stderr }).toMatchObject({ status: 0 })
        expect(await differences(out, join(goldens, 'models', 'llama-ft1'))).toEqual([])
      }
    }),
  )

  it.each<[string, string[], string | RegExp]>([
    ['no output folder', pair, `missing argument 'out'`],
    ['no model', ['OUT', '--base-model', 'models/llama-base'], `no models to merge: give each one as '--merge MODEL'`],
    [
      'too many weights',
      ['OUT', ...pair, '--weight', '1', '--weight', '2', '--weight', '3'],
      '--weight is given 3 times for 2 --merge',
    ],
    [
      'too few densities',
      ['OUT', ...pair, '--merge', 'models/llama-ft3', '--density', '1', '--density', '1'],
      '--density is given 2 times for 3 --merge',
    ],
    [
      'a weight that is no number',
      ['OUT', ...pair, '--weight', 'heavy'],
      `argument 'heavy' is invalid. Expected a number.`,
    ],
    [
      'an unknown method',
      ['OUT', ...pair, '--method', 'tise'],
      `there is no merge method 'tise'; did you mean 'ties'?`,
    ],
    ['a method that is missing its module', ['OUT', ...pair, '--method', './none.mjs'], 'none.mjs'],
    [
      'slerp with two weights',
      [
        'OUT',
        '--method',
        'slerp',
        '--base-model',
        'models/llama-base',
        '--merge',
        'models/llama-ft1',
        '--weight',
        '1',
        '--weight',
        '2',
      ],
      'slerp takes exactly one --weight',
    ],
    [
      'slerp of two models',
      ['OUT', '--method', 'slerp', ...pair, '--weight', '0.5'],
      'slerp takes exactly 1 --merge besides the --base-model, found 2',
    ],
    ['ties without a base', ['OUT', '--merge', 'models/llama-ft1'], 'ties needs a --base-model'],
    [
      'a method whose parameters have no option',
      ['OUT', '--method', 'nearswap', '--base-model', 'models/llama-base', '--merge', 'models/llama-ft1'],
      `nearswap needs the parameter 't'`,
    ],
    [
      'a density out of range',
      ['OUT', ...pair, '--density', '-1'],
      /mergekit-legacy \(--print-yaml\):\d+:\d+: the parameter 'density' of model models\/llama-ft1\b.* is -1/,
    ],
    ['a missing model', ['OUT', ...pair, '--merge', './models/none'], './models/none'],
    ['an unknown option', ['OUT', ...pair, '--mrege', 'x'], `unknown option '--mrege'`],
    ['too many operands', ['OUT', 'x', ...pair], 'too many arguments'],
  ])('refuses %s with exit status 2 and writes nothing', (_, args, message) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr } = await runBin(
        bin,
        args.map((argument) => (argument === 'OUT' ? join(folder, 'out') : argument)),
      )
      expect({ status, stdout, stderr }).toMatchObject({ status: 2, stdout: '' })
      expect(stderr).toMatch(
        typeof message === 'string' ? new RegExp(message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : message,
      )
      expect(readdirSync(folder)).toEqual([])
    }),
  )
})
