import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Below the root, where imports find what they find in a clone, and git sees nothing. */
const folder = join(root, 'node_modules/.examples')

/** What a person could paste into a file at the root: whole programs, but for those in TypeScript, which Node 20 doesn't run. */
function listExamples(): { readonly name: string; readonly code: string }[] {
  const pages = [
    ...['packages', 'apps'].flatMap((group) =>
      readdirSync(join(root, group)).map((name) => `${group}/${name}/README.md`),
    ),
    'docs/from-code.md',
  ]
  return pages
    .filter((page) => existsSync(join(root, page)))
    .flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/^```(?:ts|js)\n([\s\S]*?)^```$/gm)].map(
        ([, code], index) => ({
          name: `${page} ${index + 1}`,
          code: code!,
        }),
      ),
    )
    .filter(({ code }) => code.startsWith('import ') && !/^(type|interface) |\) as /m.test(code))
}

const examples = listExamples()
interface Outcome {
  readonly printed: number
  readonly error?: string
}
let outcomes: readonly Outcome[]

/** What the examples write stands in .gitignore. */
const written = [
  'merged-adapter',
  'merged-example',
  'merged-mixture',
  'merged-transplant',
  'tiny.bin',
  'tiny.gguf',
  'tiny.safetensors',
]
const removeWritten = () => written.forEach((name) => rmSync(join(root, name), { recursive: true, force: true }))

beforeAll(() => {
  removeWritten()
  mkdirSync(folder, { recursive: true })
  examples.forEach(({ code }, index) => writeFileSync(join(folder, `${index}.mjs`), code))
  // One process, for the time that each takes to start.
  const runner = `
    const outcomes = []
    const log = console.log
    for (let index = 0; index < ${examples.length}; index++) {
      let printed = 0
      console.log = () => printed++
      try {
        await import('./' + index + '.mjs')
        outcomes.push({ printed })
      } catch (error) {
        outcomes.push({ printed, error: String(error) })
      }
    }
    log(JSON.stringify(outcomes))`
  writeFileSync(join(folder, 'runner.mjs'), runner)
  const stdout = execFileSync(process.execPath, [join(folder, 'runner.mjs')], { cwd: root, encoding: 'utf8' })
  outcomes = JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome[]
}, 120_000)
afterAll(() => {
  removeWritten()
  rmSync(folder, { recursive: true, force: true })
})

test('every package that is used from code has an example', () => {
  const folders = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'README.md')),
  )
  // Its example is TypeScript, and runs among its own tests.
  const lacking = folders.filter(
    (name) => name !== 'errors' && !examples.some((example) => example.name.startsWith(`packages/${name}/`)),
  )
  expect(lacking).toEqual([])
})

test.each(examples.map(({ name }, index) => [name, index] as const))(
  'the example %s runs from the root of a clone',
  (_, index) => {
    expect(outcomes[index]).toEqual({ printed: expect.any(Number) })
    expect(outcomes[index]!.printed).toBeGreaterThan(0)
  },
)
