import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listPacked, publishedManifest, stage, withAbsoluteLinks } from '../../../scripts/release/stage.mjs'
import { listPublished, readManifest, root } from '../../../scripts/workspace.mjs'

describe.each(listPublished())('$directory', ({ directory }) => {
  const packed = () => listPacked(directory)
  const textOf = (path: string): string => packed().get(path)!.text

  test('is packed whole, with its license and without tests', () => {
    const files = [...packed().keys()]
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
    expect(files.filter((file) => /\.test\.|__fixtures__|tsbuildinfo|made-of|bench|\.map$|^src\//.test(file))).toEqual(
      [],
    )
    expect(textOf('dist/index.js')).not.toContain('sourceMappingURL')
  })

  test('has a page whose links lead somewhere from elsewhere', () => {
    const links = [...textOf('README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!)
    expect(links.filter((link) => !/^(https?:|#)/.test(link))).toEqual([])
  })

  test('has a manifest of which all leads to files, and nothing is for this repository alone', () => {
    const text = textOf('package.json')
    const manifest = JSON.parse(text)
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      keywords: expect.arrayContaining(['mergekit']),
      repository: { type: 'git', directory },
      publishConfig: { access: 'public', provenance: true },
    })
    for (const field of ['homepage', 'bugs', 'author', 'description', 'engines']) expect(manifest).toHaveProperty(field)
    expect(text).not.toMatch(/mk-source|devDependencies|"scripts"/)
    const paths = [...text.matchAll(/"(?:\.\/)?((?:dist|bin|src)\/[^"]+)"/g)].map(([, path]) => path!)
    expect(paths.filter((path) => !packed().has(path))).toEqual([])
  })
})

test('what is listed is what is laid out, and the folder holds nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-tarballs-'))
  try {
    stage('packages/params', folder)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length + 1)
          .replaceAll('\\', '/'),
      )
    expect(files.toSorted()).toEqual([...listPacked('packages/params').keys()].toSorted())
    expect(existsSync(join(folder, 'dist/index.js'))).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('links become absolute: files, folders, pictures; anchors and addresses stay', () => {
  const page =
    '[a](../merge/README.md#x) [b](src/methods) ![c](../../docs/p.svg) [d](#here) [e](https://x.org/y) [`f`](src/a.ts)'
  expect(withAbsoluteLinks(page, 'packages/methods', 'git+https://host/org/mk.git')).toBe(
    [
      '[a](https://host/org/mk/blob/main/packages/merge/README.md#x)',
      '[b](https://host/org/mk/tree/main/packages/methods/src/methods)',
      '![c](https://host/org/mk/raw/main/docs/p.svg)',
      '[d](#here) [e](https://x.org/y) [`f`](https://host/org/mk/blob/main/packages/methods/src/a.ts)',
    ].join(' '),
  )
})

test('what is published keeps its dependencies and loses what only the repository reads', () => {
  const manifest = readManifest('packages/merge')
  const published = publishedManifest(manifest)
  expect(published.dependencies).toEqual(manifest.dependencies)
  expect(Object.keys(published)).not.toContain('files')
  expect(published.exports['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' })
})

describe('packing is refused', () => {
  const prepack = join(root, 'scripts/release/prepack.mjs')
  const run = (agent: string, cwd: string) =>
    spawnSync(process.execPath, [prepack], {
      cwd: join(root, cwd),
      encoding: 'utf8',
      env: { ...process.env, npm_config_user_agent: agent },
    })

  test.each(['npm/11.0.0 node/v24.0.0', 'yarn/4.0.0 npm/? node/v24.0.0', ''])('to %j, which is not pnpm', (agent) => {
    const { status, stderr } = run(agent, 'packages/errors')
    expect([status, stderr]).toEqual([1, expect.stringContaining('@mk/errors is packed by pnpm')])
  })

  test('where something was not built', () => {
    const manifest = { ...readManifest('packages/errors'), exports: { '.': './dist/nothing.js' } }
    expect(() => listPacked('packages/errors', manifest)).toThrow(
      '@mk/errors is not built: ./dist/nothing.js is missing',
    )
  })
})

test('nothing is published while the address of the repository is not known', () => {
  const { repository } = JSON.parse(readFileSync(join(root, 'scripts/manifests.json'), 'utf8'))
  const { GITHUB_REPOSITORY: _, ...environment } = process.env
  const check = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [join(root, 'scripts/release/check-publish.mjs')], { encoding: 'utf8', env })
  const isKnown = !new URL(repository).hostname.endsWith('.example')
  expect(check(environment).status).toBe(isKnown ? 0 : 2)
  const elsewhere = check({ ...environment, GITHUB_SERVER_URL: 'https://elsewhere.org', GITHUB_REPOSITORY: 'x/y' })
  expect([elsewhere.status, elsewhere.stderr]).toEqual([2, expect.stringContaining('scripts/manifests.json')])
})

test('every manifest is as scripts/manifests.json has it', () => {
  const args = [join(root, 'scripts/manifests.mjs'), '--check']
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe('')
})
