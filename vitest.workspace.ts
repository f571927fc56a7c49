import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests that put something in place of a module, which others would get as well. */
const isolatedTests = '**/*.isolated.test.ts'
const projects = ['packages', 'apps', 'tests'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      extends: true as const,
      root: `${group}/${name}`,
      test: { name, exclude: ['**/node_modules/**', isolatedTests] },
    })),
)
/** What belongs to no package: documents and examples. */
const documents = { extends: true as const, test: { name: 'documents', include: ['{docs,examples}/**/*.test.ts'] } }
const isolated = {
  extends: true as const,
  test: { name: 'isolated', isolate: true, include: [`{packages,apps}/*/src/${isolatedTests}`] },
}

/** Tests run from source: workspace packages resolve through the `mk-source` condition of their exports. */
export default defineConfig({
  ssr: { resolve: { conditions: ['mk-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts'],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    setupFiles: [fileURLToPath(new URL('scripts/test-setup.mjs', import.meta.url))],
    passWithNoTests: true,
    // One less than there are is the default, which leaves half of a machine of two idle.
    maxWorkers: availableParallelism(),
    // Files of a project share what they import, which takes longer to load than most of them to run.
    isolate: false,
    // Tests that start processes take seconds where all cores are busy.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [...projects, documents, isolated],
  },
})
