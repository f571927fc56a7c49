import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const projects = ['packages', 'apps'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ extends: true as const, root: `${group}/${name}`, test: { name } })),
)

/** Tests run from source: workspace packages resolve through the `mk-source` condition of their exports. */
export default defineConfig({
  ssr: { resolve: { conditions: ['mk-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts'],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    passWithNoTests: true,
    projects,
  },
})
