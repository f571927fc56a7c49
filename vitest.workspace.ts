import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const projects = ['packages', 'apps', 'tests'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ extends: true as const, root: `${group}/${name}`, test: { name } })),
)
/** What belongs to no package: documents and examples. */
const documents = { extends: true as const, test: { name: 'documents', include: ['{docs,examples}/**/*.test.ts'] } }

/** Tests run from source: workspace packages resolve through the `mk-source` condition of their exports. */
export default defineConfig({
  ssr: { resolve: { conditions: ['mk-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts'],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    setupFiles: [fileURLToPath(new URL('scripts/fixed-seed.mjs', import.meta.url))],
    passWithNoTests: true,
    // Tests that start processes take seconds where all cores are busy.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [...projects, documents],
  },
})
