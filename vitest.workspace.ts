import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests that put something in place of a module, which others would get as well. */
const isolatedTests = '**/*.isolated.test.ts'
const members = ['packages', 'apps', 'tests'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, root: `${group}/${name}` })),
)
/**
 * Whether packages load one another as built, as their users do: `npm test` has built them, and a sixth of its time was spent on
 * making each anew for all that import it. Otherwise they resolve to source, through the `mk-source` condition of their exports.
 */
const isBuilt = process.env['MK_TEST_BUILT'] === '1'
const fromSource = { ssr: { resolve: { conditions: ['mk-source'] } }, test: {} }
const asBuilt = { ssr: {}, test: { server: { deps: { external: [/\/(?:packages|apps)\/[^/]+\/dist\//] } } } }
const loading = isBuilt ? asBuilt : fromSource

const projects = members.map(({ name, root }) => ({
  extends: true as const,
  ...loading,
  root,
  test: { ...loading.test, name, exclude: ['**/node_modules/**', isolatedTests] },
}))
const isolated = members
  .filter(({ root }) => hasIsolatedTests(new URL(`${root}/src/`, import.meta.url)))
  .map(({ name, root }) => ({
    extends: true as const,
    ...fromSource,
    root,
    // What is included by all is included here, too.
    test: { name: `${name}:isolated`, isolate: true, exclude: ['**/node_modules/**', 'src/**/!(*.isolated).test.ts'] },
  }))
/** What belongs to no package: documents and examples. */
const documents = {
  extends: true as const,
  ...loading,
  test: { ...loading.test, name: 'documents', include: ['{docs,examples}/**/*.test.ts'] },
}

function hasIsolatedTests(folder: URL): boolean {
  return (
    existsSync(folder) &&
    readdirSync(folder, { recursive: true }).some((path) => String(path).endsWith('.isolated.test.ts'))
  )
}

export default defineConfig({
  ssr: { resolve: { conditions: ['module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts'],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    setupFiles: [fileURLToPath(new URL('scripts/test-setup.mjs', import.meta.url))],
    passWithNoTests: true,
    // One less than there are is the default, which leaves half of a machine of two idle. Many tests wait for a process or the disk.
    maxWorkers: availableParallelism() + 1,
    // Files of a project share what they import, which takes longer to load than most of them to run.
    isolate: false,
    // Hundreds of tiny merges make little garbage each: collected seldom, they take a quarter less.
    execArgv: ['--initial-heap-size=700', '--min-semi-space-size=64', '--max-semi-space-size=64'],
    // Tests that start processes take seconds where all cores are busy.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [...projects, ...isolated, documents],
  },
})
