import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type HubServerOptions, startHubServer } from '../../../packages/checkpoint/src/hub/__fixtures__/hub-server.ts'
import { safetensors } from '../../../packages/checkpoint/src/hub/__fixtures__/hub-model.ts'
import { runBin, withFolder } from './__fixtures__/run-bin.ts'
import { hasTerminal, runInTerminal, startInTerminal, tooWide } from './__fixtures__/run-in-terminal.ts'

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)
const idle =
  'merge_method: linear\nmodels:\n  - model: models/tiny-base\n    parameters: {weight: [{filter: self_atn, value: 2}, {value: 1}]}\n'

const apps = new URL('../../', import.meta.url)
const commandsOf: Readonly<Record<string, readonly string[]>> = { 'mk-gguf': ['convert', 'info'] }
const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const escape = '\u001b['
/** What there is room for beside percent, rate and time left. */
const widths = [
  { columns: 40, bar: /^downloading/ },
  { columns: 80, bar: /^downloading \d of 2 models done.*░/ },
  { columns: 160, bar: /^downloading \d of 2 models done org\/first, org\/second.*░.* of 800 kB$/ },
]
const typo = 'merge_method: linear\nmodels:\n  - model: models/tiny-base\n    parameters: {wieght: 1}\n'

/** The help of every command of every app, and of the commands of commands: all in the narrowest terminal, every other one in each of the others. */
const everyHelp = readdirSync(apps).flatMap((app) => {
  const manifest = new URL(`${app}/package.json`, apps)
  const { bin: bins = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin?: Record<string, string> }
  return Object.entries(bins).flatMap(([name, path]) =>
    [['--help'], ...(commandsOf[name] ?? []).map((command) => [command, '--help'])].map(
      (args) => [name, args, new URL(path, manifest)] as const,
    ),
  )
})

const weights = safetensors('model.norm.weight', 100_000)

/** A hub with two models of 400 kB. */
async function withHub<T>(
  options: Partial<HubServerOptions>,
  use: (hub: {
    env: Record<string, string>
    recipe: string
    folder: string
    server: Awaited<ReturnType<typeof startHubServer>>
  }) => Promise<T>,
): Promise<T> {
  const server = await startHubServer({
    id: 'org/first',
    aliases: ['org/second'],
    commit: 'c'.repeat(40),
    files: {
      'config.json': JSON.stringify({ model_type: 'llama', num_hidden_layers: 1 }),
      'tokenizer.json': readFileSync(join(examples, 'models/tiny-base/tokenizer.json')),
      'model.safetensors': weights,
    },
    ...options,
  })
  try {
    return await withFolder((folder) => {
      const recipe = join(folder, 'recipe.yml')
      writeFileSync(
        recipe,
        'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: org/first}, {model: org/second}]\n',
      )
      return use({ env: { HF_ENDPOINT: server.url, HF_HOME: join(folder, 'cache') }, recipe, folder, server })
    })
  } finally {
    await server.close()
  }
}

describe.skipIf(!hasTerminal).each(widths)('in $columns columns', ({ columns, bar }) => {
  it.concurrent.each([
    ['--list-methods', ['--list-methods', 'della']],
    ['a plan', ['recipes/gradient-slerp.yml', '--dry-run']],
  ])('%s is wrapped at words', async (_, args) => {
    const { status, lines } = await runInTerminal(bin, args, { columns, cwd: examples })
    expect(status).toBe(0)
    expect(tooWide(lines, columns)).toEqual([])
    expect(Math.max(...lines.map((line) => line.length))).toBeGreaterThan(columns === 160 ? 80 : columns * 0.7)
  })

  const shown = everyHelp.filter((_, index) => columns === 40 || (index % 2 === 0) === (columns === 80))
  it.concurrent.each(shown)('%s %s is wrapped at words', async (_, args, file) => {
    const { status, lines } = await runInTerminal(file, args, { columns })
    expect(status).toBe(0)
    expect(tooWide(lines, columns)).toEqual([])
    for (const heading of ['Options:', 'Examples:', 'Environment:', 'Exit status:']) expect(lines).toContain(heading)
  })

  it.concurrent('what is wrong with the arguments is told in a few lines', async () => {
    const { status, lines } = await runInTerminal(bin, ['--no-such-option-at-all', 'recipe.yml'], { columns })
    expect(status).toBe(2)
    expect(tooWide(lines, columns)).toEqual([])
    expect(lines.length).toBeLessThan(8)
  })

  it.concurrent('an error shows the line of the recipe, with a caret and in color', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'recipe.yml'), typo)
      const { status, raw, lines } = await runInTerminal(bin, ['recipe.yml', 'out'], { columns, cwd: folder })
      expect(status).toBe(2)
      expect(tooWide(lines, columns)).toEqual([])
      const quoted = lines.findIndex((line) => line.startsWith('  4 | '))
      expect(lines[quoted + 1]!.indexOf('^')).toBe(lines[quoted]!.indexOf('wieght'))
      expect(raw).toContain(`${escape}31m`)
    }))

  it.concurrent('a warning shows the line of the recipe, with a caret in its color', async () => {
    const { status, raw, lines } = await withFolder((folder) => {
      const recipe = join(folder, 'recipe.yml')
      writeFileSync(recipe, idle)
      return runInTerminal(bin, [recipe, '--dry-run'], { columns, cwd: examples })
    })
    expect(status).toBe(0)
    expect(tooWide(lines, columns)).toEqual([])
    const quoted = lines.findIndex((line) => line.startsWith('  4 | '))
    expect(lines[quoted + 1]!.indexOf('^')).toBe(lines[quoted]!.indexOf('self_atn'))
    expect(raw).toContain(`${escape}33m^`)
  })

  it.concurrent('the bar of a download keeps percent, rate and time, and names the models', () =>
    withHub({ bytesPerSecond: 200_000 }, async ({ env, recipe, folder }) => {
      const { status, lines, frames } = await runInTerminal(bin, [recipe, join(folder, 'out')], { columns, env })
      expect(status).toBe(0)
      expect([...tooWide(lines, columns), ...tooWide(frames, columns - 1)]).toEqual([])
      const bars = frames.filter((frame) => / \d+ %/.test(frame))
      const late = bars.findLast((frame) => frame.includes('left') && !/ (9\d|100) %/.test(frame))!
      expect(late).toMatch(/\d+ %\s+\d[\d.]+ kB\/s\s+\d+(\.\d)? s left/)
      expect(late).toMatch(bar)
      expect(lines.join('\n')).toMatch(/hf upload (\\\n +)?YOUR_NAME\/out/)
      expect(lines.join('\n').match(/at commit\s+c{40}$/gm)).toHaveLength(2)
    }))
})

describe.skipIf(!hasTerminal)('Ctrl-C', () => {
  it.concurrent.each<[string, Partial<HubServerOptions>, RegExp]>([
    ['while headers are read', { silent: ['model.safetensors'] }, /model\.safetensors/],
    [
      'while the hub wants to be left alone',
      { answer: ({ host }) => (host === 'hub' ? { status: 429, headers: { 'retry-after': '60' } } : undefined) },
      /waiting 1 min 0 s/,
    ],
    ['while weights come', { bytesPerSecond: 100_000 }, /downloading/],
    [
      'while a pickle comes whole',
      { files: { 'config.json': '{}', 'pytorch_model.bin': new Uint8Array(300_000) }, bytesPerSecond: 20_000 },
      /downloading.*%/,
    ],
  ])('%s ends the command within a second, by the signal', (_, options, until) =>
    withHub(options, async ({ env, recipe, folder }) => {
      const run = startInTerminal(bin, [recipe, join(folder, 'out')], { columns: 80, env })
      while (!until.test(run.shown())) await wait(20)
      run.type('\u0003')
      const startedAt = performance.now()
      const { status, lines } = await run.ended
      expect(status).toBe(130)
      expect(performance.now() - startedAt).toBeLessThan(1500)
      expect(lines.join('\n')).toMatch(/^error: interrupted/m)
    }),
  )

  it.concurrent('while another process brings the file ends it, too, and says which', () =>
    withHub({}, async ({ env, recipe, folder }) => {
      const hash = createHash('sha256').update(weights).digest('hex')
      const blobs = join(folder, 'cache', 'hub', 'models--org--first', 'blobs')
      mkdirSync(blobs, { recursive: true })
      writeFileSync(
        join(blobs, `${hash}.mk.lock`),
        JSON.stringify({ host: 'elsewhere', where: 'elsewhere', pid: 4711, session: 'other' }),
      )
      const run = startInTerminal(bin, [recipe, join(folder, 'out')], { columns: 160, env })
      while (!run.shown().includes('waiting for process 4711 on elsewhere')) await wait(20)
      run.type('\u0003')
      const { status, lines } = await run.ended
      expect(status).toBe(130)
      expect(lines.join('\n')).toMatch(/^error: interrupted while downloading/m)
    }))
})

describe('colors', () => {
  it('are for terminals, unless somebody says otherwise', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'recipe.yml'), typo)
      const piped = await runBin(bin, ['recipe.yml', 'out'], { cwd: folder })
      const forced = await runBin(bin, ['recipe.yml', 'out'], { cwd: folder, env: { FORCE_COLOR: '1' } })
      expect([piped, forced].map(({ stderr }) => stderr.includes(escape))).toEqual([false, true])
      if (!hasTerminal) return
      const options = { columns: 80, cwd: folder, env: { NO_COLOR: '1' } }
      expect((await runInTerminal(bin, ['recipe.yml', 'out'], options)).raw).not.toContain(`${escape}31m`)
    }))
})

it('a dry run says what a merge would download, and what it must fetch itself before it does', () =>
  withHub({}, async ({ env, recipe }) => {
    const { stdout } = await runBin(bin, [recipe, '--dry-run'], { env })
    expect(stdout).toMatch(/^to be downloaded: 800 kB \(org\/first 400 kB, org\/second 400 kB\)$/m)
    expect(stdout).toContain(`input 0: org/first (commit ${'c'.repeat(40)})`)
    const { stdout: json } = await runBin(bin, [recipe, '--dry-run', '--json'], { env })
    expect(JSON.parse(json)).toMatchObject({
      inputs: [{ hub: { id: 'org/first', commit: 'c'.repeat(40) } }, {}],
      downloads: [{ id: 'org/first', byteCount: expect.any(Number) }, {}],
    })
  }))

it('a pickle that must come whole is told before it comes, also under --dry-run', () =>
  withHub({ files: { 'config.json': '{}', 'pytorch_model.bin': new Uint8Array(300_000) } }, async ({ env, recipe }) => {
    const { stderr } = await runBin(bin, [recipe, '--dry-run'], { env })
    expect(stderr).toMatch(
      /^note: downloading 300 kB before the merge can be planned: pytorch_model\.bin of org\/first/m,
    )
  }))

it('the commits that were used are in the result', () =>
  withHub({}, async ({ env, recipe, folder }) => {
    const { stdout } = await runBin(bin, [recipe, join(folder, 'out'), '--json'], { env })
    const commit = 'c'.repeat(40)
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      models: [
        { model: 'org/first', id: 'org/first', commit },
        { model: 'org/second', id: 'org/second', commit },
      ],
    })
  }))
