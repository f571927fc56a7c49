import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { goldens, runBin } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)
const run = (...args: string[]) => runBin(bin, args)

/** Runs the command with a text on stdin. */
async function feed(text: string, args: readonly string[]) {
  const child = spawn(process.execPath, [fileURLToPath(bin), ...args], { cwd: goldens })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => (stdout += String(data)))
  child.stderr.on('data', (data) => (stderr += String(data)))
  child.stdin.end(text)
  const status = await new Promise((resolve) => child.once('close', resolve))
  return { status, stdout, stderr }
}

it('takes a recipe from stdin, whose faults have lines and columns', async () => {
  const recipe = 'merge_method: passthrough\nmodels: [{model: models/llama-ft1}]\n'
  expect(await feed(recipe, ['-', '--dry-run'])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('method passthrough: 39 tensors'),
  })
  const { status, stderr } = await feed(recipe.replace('models/llama-ft1', './models/llama-ft9'), ['-', '--dry-run'])
  expect(status).toBe(2)
  expect(stderr).toMatch(
    /^error: <stdin>:2:18: \.\/models\/llama-ft9: there is no such folder or file; did you mean \.\/models\/llama-ft\d\?/,
  )
  expect(stderr).toContain('  2 | models: [{model: ./models/llama-ft9}]\n    |                  ^')
})

it('prints one method, or says which was meant', async () => {
  const { stdout } = await run('--list-methods', 'ties')
  expect(stdout).toMatch(/^ties\n/)
  expect(stdout.match(/^\w+$/gm)).toEqual(['ties'])
  expect(await run('--list-methods', 'tis')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("did you mean 'ties'?"),
  })
  expect(JSON.parse((await run('--list-methods', 'ties', '--json')).stdout)).toMatchObject({
    version: 1,
    methods: [{ name: 'ties' }],
  })
})

it('prints errors as JSON on stdout, and words on stderr', async () => {
  const unknown = await run('--dryrun', '--json')
  expect(JSON.parse(unknown.stdout)).toMatchObject({ version: 1, error: { code: 'command-line', exitStatus: 2 } })
  const missing = await run('nowhere.yml', 'out', '--json')
  expect(missing.status).toBe(2)
  expect(JSON.parse(missing.stdout)).toMatchObject({ version: 1, error: { code: 'recipe-unreadable' } })
  expect(missing.stderr).toMatch(/^error: can't read the recipe nowhere\.yml/)
})

it('the help has groups, examples, environment and exit statuses', async () => {
  const { stdout } = await run('--help')
  for (const heading of ['The output:', 'The hub:', 'Examples:', 'Environment:', 'Exit status:'])
    expect(stdout).toMatch(new RegExp(`^${heading}$`, 'm'))
  expect(stdout).toContain('HF_TOKEN')
  expect(stdout).toContain('130, 143')
  expect(stdout).not.toContain('5000000000')
})
